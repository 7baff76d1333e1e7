import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAnalyticsConfig } from '../../consumers/analytics/config.ts';
import { startAnalytics } from '../../consumers/analytics/main.ts';
import { readSettings } from '../../lib/config/read.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import type { ClusterOptions } from '../../lib/kafka/cluster.ts';
import { KafkaSink } from '../../lib/kafka/kafka-sink.ts';
import { type ReadRecord, readTopics } from '../../lib/kafka/topic-reader.ts';
import { silentLogger } from '../../lib/logger.ts';
import { learnDestinations } from '../../schemas/destinations.ts';
import type { DeadLetter } from '../../schemas/generated/events.ts';
import { RecordWriter } from '../../schemas/record-writer.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { clusterSettings } from '../../schemas/settings.ts';
import { sdkAppId, vector, verdictCommand } from '../support/callbacks.ts';
import { CliProcess, runCli } from '../support/cli.ts';
import { startTestConsumer } from '../support/consumer.ts';
import { aLetter } from '../support/dead-letters.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { startTestIngest } from '../support/pipeline.ts';

/** An hour ago: Kafka would forget older records at once. */
const receivedAtMs = Date.now() - 3_600_000;

/** A dead letter of then; unless told otherwise one that today's code takes. */
function recentLetter(more: Partial<DeadLetter> = {}): DeadLetter {
  return aLetter({ receivedAt: receivedAtMs, firstFailedAt: receivedAtMs, ...more });
}

/** Ingest on topics of its own, and what writes dead letters there as older code might have. */
async function aPlace() {
  const ingest = await startTestIngest();
  await ingest.ready();
  const env = { ...ingest.env };
  const values = readSettings(clusterSettings, { env, file: {}, running: {} });
  const kafka = createKafka(values, 'imwatch-test', silentLogger);
  const registry = createSchemaRegistry(values);
  const writer = new RecordWriter(await learnDestinations({ kafka, registry, values }, ['dead-letter']));
  const sink = new KafkaSink(kafka);
  await sink.connect();
  const writeLetters = (...letters: readonly DeadLetter[]): Promise<void> => {
    return sink.send(
      letters.map((value) => {
        const key = value.key?.toString() ?? '';
        return writer.recordOf({ topic: 'dead-letter', key, value, timestampMs: value.firstFailedAt });
      }),
    );
  };
  const cli = (...args: readonly string[]) => runCli(['dead-letters', ...args], env);
  return {
    ingest,
    env,
    kafka,
    cluster: clusterOptions(values, 'imwatch-test'),
    cli,
    writeLetters,
    stop: async () => {
      await sink.disconnect();
      await ingest.stop();
    },
  };
}

async function readRaw(cluster: ClusterOptions, topic: string): Promise<readonly ReadRecord[]> {
  const records: ReadRecord[] = [];
  await readTopics({
    cluster,
    logger: silentLogger,
    topics: [topic],
    start: 'beginning',
    follow: false,
    signal: new AbortController().signal,
    onCaughtUp: () => undefined,
    onRecord: async (record) => {
      records.push(record);
    },
  });
  return records;
}

interface Listed {
  readonly partition: number;
  readonly offset: number;
  readonly eventId: string;
  readonly reason: string;
  readonly fieldPath: string | null;
}

function listed(output: string): readonly Listed[] {
  return output === '' ? [] : output.split('\n').map((line) => JSON.parse(line) as Listed);
}

let place: Awaited<ReturnType<typeof aPlace>>;
beforeAll(async () => {
  place = await aPlace();
});
afterAll(() => place.stop());

describe('imwatch dead-letters list and show', () => {
  const badBody = '{"From_Account":"jared","MsgID":"1","CtxcbResult":7}';

  beforeAll(async () => {
    const { ingest } = place;
    await ingest.post('{"broken \u001b[31m', {});
    await ingest.post(badBody, {});
    await ingest.post('{"Events":[{"EventTime":1},"no object"]}', { command: 'Push.OfflinePush' });
    expect(await ingest.count('dead-letter')).toBe(3);
  });

  it('lists what ingest has refused, by any filter, for scripts', async () => {
    const all = listed((await place.cli('list', '--json')).output);
    expect(all.map(({ reason, fieldPath }) => [reason, fieldPath])).toEqual([
      ['BODY_NOT_JSON', null],
      ['FIELD_INVALID', '/CtxcbResult'],
      ['FIELD_INVALID', '/Events/1'],
    ]);
    const { output } = await place.cli(
      'list',
      '--json',
      '--reason',
      'FIELD_INVALID',
      '--field',
      '/Ctxcb',
      '--since',
      '1h',
    );
    expect(listed(output)).toEqual([all[1]]);
    expect((await place.cli('list', '--json', '--until', '1h')).output).toBe('');
    expect(listed((await place.cli('list', '--json', '--limit', '1')).output)).toEqual([all[2]]);
  });

  it('lists them for people, and lets no body steer the terminal', async () => {
    const { code, output } = await place.cli('list');
    expect(code).toBe(0);
    expect(output.split('\n')).toHaveLength(4);
    expect(output).toMatch(
      /ingest +FIELD_INVALID +\/CtxcbResult +ContentCallback.ResultNotify +\/CtxcbResult is a number/,
    );
    expect(output).not.toContain('\u001b');
  });

  it('counts them', async () => {
    const { output } = await place.cli('list', '--summary');
    expect(output).toMatch(/^1 +ingest +BODY_NOT_JSON +ContentCallback.ResultNotify/m);
    const { output: json } = await place.cli('list', '--summary', '--json', '--command', 'Push.OfflinePush');
    expect(JSON.parse(json)).toMatchObject({
      service: 'ingest',
      reason: 'FIELD_INVALID',
      command: 'Push.OfflinePush',
      letters: 1,
    });
  });

  it('shows all of one, the value that was wrong marked, its query without Sign, and what today makes of it', async () => {
    const [found] = listed((await place.cli('list', '--json', '--field', '/CtxcbResult')).output);
    const { code, output } = await place.cli('show', found?.eventId ?? '');
    expect(code).toBe(0);
    expect(output).toMatch(/^> {3}"CtxcbResult": 7$/m);
    expect(output).toMatch(/^today +a redrive would leave it: FIELD_INVALID \/CtxcbResult is a number/m);
    expect(output).toMatch(/^query .*CallbackCommand=ContentCallback.ResultNotify.*RequestTime=/m);
    expect(output).not.toMatch(/Sign=/i);
    const byPlace = await place.cli('show', `${found?.partition}:${found?.offset}`, '--json');
    expect(JSON.parse(byPlace.output)).toMatchObject({ ...found, body: Buffer.from(badBody).toString('base64') });
    expect((await place.cli('show', found?.eventId ?? '', '--body')).output).toBe(badBody);
  });

  it('ends with code 1 for one that there is not, and with 2 for what is no id', async () => {
    expect(await place.cli('show', 'f'.repeat(32))).toMatchObject({
      code: 1,
      errors: expect.stringContaining('No dead letter'),
    });
    expect(await place.cli('show', 'nope')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('partition:offset'),
    });
  });
});

describe('imwatch dead-letters redrive', () => {
  const id = (digit: string): string => digit.repeat(32);

  it('wants to be told which, and not to be alone', async () => {
    expect(await place.cli('redrive', '--yes')).toMatchObject({ code: 2, errors: expect.stringContaining('--all') });
    expect(await place.cli('redrive', '--all', '--since', 'soon')).toMatchObject({ code: 2 });
    await place.writeLetters(recentLetter({ eventId: id('9') }));
    expect(await place.cli('redrive', '--id', id('9'))).toMatchObject({
      code: 2,
      errors: expect.stringContaining('--yes'),
    });
    expect(await place.ingest.count('verdict')).toBe(0);
  });

  it('leaves what is still bad, and ends with code 1', async () => {
    const { code, output } = await place.cli('redrive', '--reason', 'BODY_NOT_JSON', '--yes', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(output)).toMatchObject({ selected: 1, staying: 1, redriven: 0, written: {} });
    expect(JSON.parse(output)).toHaveProperty('groups.0.today.reason', 'BODY_NOT_JSON');
  });

  it('has nothing to do where nothing is meant', async () => {
    expect(await place.cli('redrive', '--reason', 'NO_SUCH', '--yes')).toMatchObject({
      code: 0,
      output: 'no dead letters to redrive',
    });
  });

  it('makes the events that callbacks and items are today, with the ids of their letters and their times', async () => {
    const own = await aPlace();
    const item = recentLetter({
      eventId: id('2'),
      command: 'Push.OfflinePush',
      query: 'CallbackCommand=Push.OfflinePush',
      fieldPath: '/Events/5/Name',
      body: Buffer.from('{"EventTime":1629883332497,"From_Account":"jared"}'),
      receivedAt: receivedAtMs + 5,
    });
    await own.writeLetters(
      recentLetter({ eventId: id('1') }),
      // The same callback delivered again.
      recentLetter({ eventId: id('1'), receivedAt: receivedAtMs + 1_000 }),
      item,
      recentLetter({ eventId: id('3'), body: null }),
    );

    const dry = await own.cli('redrive', '--all', '--dry-run');
    expect(dry.code).toBe(1);
    expect(dry.output).toMatch(/1 +ingest +FIELD_INVALID +ContentCallback.ResultNotify +an event on .*verdict.v1/);
    expect(dry.output).toContain('cannot be redriven: its body was not kept (IMWATCH_TEXT=none)');
    expect(dry.output).toContain('1 more are further deliveries');
    expect([await own.ingest.count('verdict'), await own.ingest.count('push')]).toEqual([0, 0]);

    const done = await own.cli('redrive', '--id', [id('1'), id('2')].join(','), '--yes');
    expect(done).toMatchObject({ code: 0, output: expect.stringContaining('2 of 2 redriven') });
    expect([await own.ingest.count('verdict'), await own.ingest.count('push')]).toEqual([1, 1]);
    const [verdict] = await own.ingest.read('verdict', 1);
    expect(verdict).toMatchObject({
      key: `${sdkAppId}/jared`,
      raw: { timestampMs: receivedAtMs },
      value: { eventId: id('1'), receivedAt: receivedAtMs, fromAccount: 'jared', command: verdictCommand },
    });
    const [pushed] = await own.ingest.read('push', 1);
    expect(pushed).toMatchObject({
      key: `${sdkAppId}/jared`,
      value: { eventId: id('2'), receivedAt: receivedAtMs + 5 },
    });

    // Again is harmless: the same event with the same id. Dead letters stay as they are.
    expect((await own.cli('redrive', '--id', id('1'), '--yes')).code).toBe(0);
    const both = await own.ingest.read('verdict', 2);
    expect(both.map(({ value }) => value)).toEqual([verdict?.value, verdict?.value]);
    expect(await own.ingest.count('dead-letter')).toBe(4);
    await own.stop();
  });

  it('stops at Ctrl-C between two, says what is done, and goes on the next time', async () => {
    const own = await aPlace();
    await own.writeLetters(
      ...Array.from({ length: 40 }, (_none, n) => recentLetter({ eventId: n.toString(16).padStart(32, '0') })),
    );
    const running = new CliProcess(['dead-letters', 'redrive', '--all', '--yes', '--rate', '2'], own.env);
    while ((await own.ingest.count('verdict')) === 0) await new Promise((resolve) => setImmediate(resolve));
    running.child.kill('SIGINT');
    expect(await running.end()).toBe(1);
    const written = await own.ingest.count('verdict');
    expect(written).toBeLessThan(40);
    expect(running.output).toContain(`${written} of 40 redriven`);
    expect(running.errors).toContain(`${40 - written} were not redriven`);
    expect((await own.cli('redrive', '--all', '--yes', '--rate', '1000')).code).toBe(0);
    expect(await own.ingest.count('verdict')).toBe(written + 40);
    await own.stop();
  });
});

describe('a record that a consumer could not read', () => {
  it('is written again as it was once it can be read, and stays while it cannot', async () => {
    const own = await aPlace();
    await own.ingest.post(vector(verdictCommand));
    const [{ raw } = { raw: undefined }] = await own.ingest.read('verdict', 1);
    const sourceTopic = `${own.ingest.prefix}.verdict.v1`;
    const producer = own.kafka.producer();
    await producer.connect();
    await producer.send({ topic: sourceTopic, messages: [{ key: 'odd', value: 'no Avro', partition: 2 }] });
    await producer.disconnect();
    const analytics = await startTestConsumer(
      startAnalytics,
      readAnalyticsConfig,
      own.env,
      new ManualClock(Date.now()),
    );
    await analytics.handled(2);
    await own.ingest.read('dead-letter', 1);
    await analytics.stop();
    // As a consumer would have written it before the registry knew the schema.
    await own.writeLetters(
      recentLetter({
        eventId: 'c'.repeat(32),
        service: 'penalties',
        reason: 'RECORD_NOT_READABLE',
        fieldPath: null,
        command: null,
        sdkAppId: null,
        query: null,
        body: raw?.value ?? null,
        key: raw?.key ?? null,
        headers: { trace: Buffer.from([0xff, 0x00]) },
        sourceTopic,
        sourcePartition: 1,
        sourceOffset: 77,
        receivedAt: receivedAtMs,
      }),
    );

    const stays = await own.cli('redrive', '--service', 'analytics', '--yes', '--json');
    expect(stays.code).toBe(1);
    expect(JSON.parse(stays.output)).toMatchObject({
      selected: 1,
      redriven: 0,
      groups: [{ outcome: 'stays', today: { reason: 'RECORD_NOT_READABLE', detail: 'not in Confluent wire format' } }],
    });
    const again = await own.cli('redrive', '--service', 'penalties', '--yes');
    expect(again).toMatchObject({ code: 0, output: expect.stringContaining('the record again on') });
    expect(await own.ingest.count('verdict')).toBe(3);

    const records = await readRaw(own.cluster, sourceTopic);
    const rewritten = records.find(({ headers }) => headers['trace'] !== undefined);
    expect(rewritten).toMatchObject({ partition: 1, timestampMs: receivedAtMs });
    expect(rewritten?.value?.equals(raw?.value ?? Buffer.alloc(0))).toBe(true);
    expect(rewritten?.key?.equals(raw?.key ?? Buffer.alloc(0))).toBe(true);
    expect(rewritten?.headers['trace']).toEqual(Buffer.from([0xff, 0x00]));
    await own.stop();
  });
});
