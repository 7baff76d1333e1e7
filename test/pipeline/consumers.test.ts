import { randomBytes } from 'node:crypto';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readAlertingConfig } from '../../consumers/alerting/config.ts';
import { startAlerting } from '../../consumers/alerting/main.ts';
import { readAnalyticsConfig } from '../../consumers/analytics/config.ts';
import { startAnalytics } from '../../consumers/analytics/main.ts';
import { windowMs } from '../../consumers/analytics/windows.ts';
import { readPenaltiesConfig } from '../../consumers/penalties/config.ts';
import { startPenalties } from '../../consumers/penalties/main.ts';
import type { PartitionReplay } from '../../consumers/runtime/replay.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { KafkaSink } from '../../lib/kafka/kafka-sink.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Rollup } from '../../schemas/generated/events.ts';
import { topicName } from '../../schemas/topics.ts';
import { sdkAppId } from '../support/callbacks.ts';
import { runCli } from '../support/cli.ts';
import { startTestConsumer } from '../support/consumer.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { serviceEnvironment, startTestIngest } from '../support/pipeline.ts';

type Ingest = Awaited<ReturnType<typeof startTestIngest>>;

let ingest: Ingest;
beforeAll(async () => {
  ingest = await startTestIngest();
  await ingest.ready();
});
afterAll(() => ingest.stop());

/** Posts a blocked verdict with an id of its own. */
async function post(account: string, more: object = {}): Promise<void> {
  const body = {
    From_Account: account,
    CtxcbResult: 1,
    CtxcbLabel: 'Ad',
    MsgID: randomBytes(4).toString('hex'),
    ...more,
  };
  expect((await ingest.post(JSON.stringify(body))).status).toBe(200);
}

/** An ingest with topics of its own, on which nobody else writes. */
async function ownTopics(): Promise<Ingest> {
  await ingest.stop();
  ingest = await startTestIngest();
  await ingest.ready();
  return ingest;
}

describe('penalties', () => {
  it('decide on the third strike, also when they are started anew between strikes, and not on a redelivery', async () => {
    const { env } = await ownTopics();
    const clock = new ManualClock(Date.now());
    const start = () => startTestConsumer(startPenalties, readPenaltiesConfig, env, clock);

    const first = await start();
    await post('jared', { MsgID: 'one' });
    await post('jared', { MsgID: 'one' });
    await post('other');
    await post('jared');
    await first.handled(4);
    expect((await first.metrics()).get('consumer_events_total{outcome="repeat"}')).toBe(1);
    await first.stop();

    const second = await start();
    await post('jared');
    const ledger = await ingest.read('penalty.ledger', 5);
    const jared = ledger.filter(({ value }) => value.account === 'jared');
    expect(jared.map(({ value }) => [value.kind, value.strikes])).toEqual([
      ['STRIKE', 1],
      ['STRIKE', 2],
      ['STRIKE', 3],
      ['DECISION', 3],
    ]);
    expect(jared.every(({ key }) => key === `${sdkAppId}/jared`)).toBe(true);
    const strikes = jared.slice(0, 3).flatMap(({ value }) => value.eventIds);
    expect(jared[3]?.value).toMatchObject({ mode: 'SHADOW', action: 'MUTE', eventIds: strikes });
    expect(jared[3]?.value.reason).toMatch(
      /^Mute until .*: 3 strikes within 1 day, the last one Ad in an unknown scene, blocked\./,
    );
    await second.stop();
  });

  it('wait for a topic of their state that has as many partitions as the verdicts, and say so', async () => {
    const env = { ...inject('cluster'), ...serviceEnvironment() };
    const config = readPenaltiesConfig({ env, file: {}, running: {} });
    const state = topicName(config.topicPrefix, 'penalty.state');
    await withAdmin(createKafka(config, 'imwatch-test', silentLogger), (admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic: state, numPartitions: 2, replicationFactor: 1 }] }),
    );
    const service = await startPenalties(config, silentLogger);
    const reasons = async (): Promise<string> =>
      (await request(`${service.addresses['management']}/ready`)).body.text();
    await expect.poll(reasons, { timeout: 20_000 }).toContain(`${state} has 2 partitions and `);
    await service.stop();
  });
});

describe('imwatch replay', () => {
  it('says that the events lead to the state that is there, and where they do not', async () => {
    const { env } = await ownTopics();
    const penalties = await startTestConsumer(startPenalties, readPenaltiesConfig, env, new ManualClock(Date.now()));
    for (const account of ['a', 'a', 'b', 'c', 'a']) await post(account);
    await penalties.handled(5);
    await penalties.stop();
    const same = await runCli(['replay', 'penalties', '--json'], env);
    expect(same.code).toBe(0);
    const found = JSON.parse(same.output) as readonly PartitionReplay[];
    expect(found.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    expect(found.reduce((sum, { events }) => sum + events, 0)).toBe(5);
    expect(found.reduce((sum, { keys }) => sum + keys, 0)).toBe(3);
    expect(found.flatMap(({ differences }) => differences)).toEqual([]);

    // A policy that only the replay has counts no strike of "a".
    const other = await runCli(['replay', 'penalties'], { ...env, PENALTIES_EXEMPT_ACCOUNTS: 'a' });
    expect(other.code).toBe(1);
    expect(other.output).toMatch(/lead to another state.*: 1 of /);
    expect(other.output).toContain(`${sdkAppId}/a`);
    expect(other.output).toMatch(/expected {2}-/);
  });

  it('says what it cannot compare', async () => {
    const { env } = ingest;
    expect(await runCli(['replay', 'alerting'], env)).toMatchObject({
      code: 2,
      errors: expect.stringContaining('alerting keeps no state'),
    });
    expect(await runCli(['replay', 'ingest'], env)).toMatchObject({
      code: 2,
      errors: expect.stringContaining('expected one of analytics, penalties, alerting'),
    });
  });
});

describe('analytics', () => {
  it('count every record once, over a restart in the middle of a window', async () => {
    const { env } = await ownTopics();
    const clock = new ManualClock(Date.now());
    const start = () => startTestConsumer(startAnalytics, readAnalyticsConfig, env, clock);

    const first = await start();
    await post('a');
    await post('b');
    await first.handled(2);
    await byTime(clock, async () => (await ingest.count('rollup')) > 0);
    await first.stop();

    const second = await start();
    await post('a');
    await post('c', { CtxcbResult: 0, CtxcbLabel: 'Normal', CtxcbSuggestion: 'Pass' });
    await byTime(clock, async () => {
      const rollups = await latestRollups(ingest);
      return sum(rollups) >= 4 && rollups.every(({ isComplete }) => isComplete);
    });
    const rollups = await latestRollups(ingest);
    expect(sum(rollups)).toBe(4);
    expect(rollups.filter(({ label }) => label === 'Normal')).toMatchObject([
      { sdkAppId, scene: null, suggestion: 'PASS', result: 'PASSED', verdicts: 1, windowMs },
    ]);
    await second.stop();
  });

  it('make a record that is no verdict a dead letter, and go on', async () => {
    const { config, env } = await ownTopics();
    const sink = new KafkaSink(createKafka(config, 'imwatch-test', silentLogger));
    await sink.connect();
    const poison = {
      topic: topicName(config.topicPrefix, 'verdict'),
      partition: 0,
      key: Buffer.from('k'),
      value: Buffer.from('{"no":"avro"}'),
      timestampMs: Date.now(),
    };
    await sink.send([poison]);
    await sink.disconnect();
    await post('a');
    const analytics = await startTestConsumer(startAnalytics, readAnalyticsConfig, env, new ManualClock(Date.now()));
    await analytics.handled(2);
    const [letter] = await ingest.read('dead-letter', 1);
    expect(letter?.key).toBe('k');
    expect(letter?.value).toMatchObject({
      service: 'analytics',
      reason: 'RECORD_NOT_READABLE',
      detail: 'not in Confluent wire format',
      sourceTopic: poison.topic,
      sourcePartition: 0,
      sourceOffset: 0,
    });
    expect(letter?.value.body?.toString()).toBe('{"no":"avro"}');
    expect((await analytics.metrics()).get('analytics_verdicts_total{how="counted"}')).toBe(1);
    await analytics.stop();
  });
});

describe('alerting', () => {
  it('says when many senders begin and when it is over, also when it is started anew in between', async () => {
    const { env } = await ownTopics();
    const rules = { ...env, ALERTING_MIN_VERDICTS: '6', ALERTING_MIN_SENDERS: '3' };
    const clock = new ManualClock(Date.now());
    const start = () => startTestConsumer(startAlerting, readAlertingConfig, rules, clock);

    const first = await start();
    for (let number = 0; number < 6; number += 1) await post(`sender-${number % 3}`);
    await first.handled(6);
    await byTime(clock, async () => (await ingest.count('alert')) === 1);
    const [firing] = await ingest.read('alert', 1);
    expect(firing?.value).toMatchObject({
      fingerprint: `abuse-rate/${sdkAppId}/Ad`,
      status: 'FIRING',
      observed: 6,
      distinctSenders: 3,
      summary: 'Abuse with label Ad: 6 verdicts by 3 senders in 60 s, 0 are usual.',
    });
    await first.stop();

    const second = await start();
    clock.advance(70_000);
    await byTime(clock, async () => (await ingest.count('alert')) === 2);
    const [, resolved] = await ingest.read('alert', 2);
    expect(resolved?.value).toMatchObject({ status: 'RESOLVED', observed: 0, startedAt: firing?.value.startedAt });
    expect(resolved?.key).toBe(firing?.key);
    await second.stop();
  });
});

/** Lets time pass, a second at a time, until something has happened. */
async function byTime(clock: ManualClock, hasHappened: () => Promise<boolean>): Promise<void> {
  while (!(await hasHappened())) clock.advance(1_000);
}

async function latestRollups({ read, count }: Ingest): Promise<readonly Rollup[]> {
  const rollups = await read('rollup', await count('rollup'));
  return Array.from(new Map(rollups.map(({ key, value }) => [key, value])).values());
}

function sum(rollups: readonly Rollup[]): number {
  return rollups.reduce((total, { verdicts }) => total + verdicts, 0);
}
