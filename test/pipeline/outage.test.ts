import { afterEach, describe, expect, inject, it } from 'vitest';
import { ingestTopicIds } from '../../ingest/tencent/request.ts';
import { smallestVerdict } from '../support/callbacks.ts';
import { startTestIngest, unusedPort } from '../support/pipeline.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const body = JSON.stringify(smallestVerdict);
const verdictOf = (id: string) => JSON.stringify({ From_Account: 'jared', CtxcbResult: 1, MsgID: id });
const cleanUps: (() => Promise<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startAway(more: Record<string, string>) {
  const ingest = await startTestIngest({ INGEST_DEADLINE_MS: '300', ...more });
  cleanUps.push(() => ingest.stop());
  return ingest;
}

/** A way to `target` (host:port) on `port`, from now on. */
async function openWay(port: number, target: string): Promise<void> {
  const proxy = new TcpProxy(port, target);
  await proxy.open();
  cleanUps.push(() => proxy.cut());
}

describe('Kafka away at the start', () => {
  it('does not keep ingest from keeping callbacks: on disk, refusals as ever, and degraded for a reason', async () => {
    const port = await unusedPort();
    const ingest = await startAway({ KAFKA_BROKERS: `127.0.0.1:${port}` });
    expect(await ingest.post(body)).toMatchObject({ status: 200, answer: { ActionStatus: 'OK', ErrorCode: 0 } });
    expect(await ingest.post(body, { query: { Sign: 'f'.repeat(64) } })).toMatchObject({ status: 403 });
    expect(await ingest.post('{}', { command: null })).toMatchObject({ status: 200 });
    expect(await ingest.metrics()).toContain('ingest_answers_total{durable="disk"} 1');
    expect(await ingest.readiness()).toEqual({
      status: 'degraded',
      reasons: [expect.stringMatching(/^Events are kept on disk since .*: Kafka/)],
    });
  });

  it('is over as soon as Kafka answers: what was on disk is on the topics, in order, each once', async () => {
    const port = await unusedPort();
    const ingest = await startAway({ KAFKA_BROKERS: `127.0.0.1:${port}` });
    const ids = Array.from({ length: 200 }, (_, index) => String(index));
    for (const id of ids) expect((await ingest.post(verdictOf(id))).status).toBe(200);
    await openWay(port, inject('cluster')['KAFKA_BROKERS'] ?? '');
    await ingest.ready();
    expect((await ingest.post(verdictOf('last'))).status).toBe(200);
    const events = await ingest.read('verdict', ids.length + 1);
    expect(events.map(({ value }) => value.msgId)).toEqual([...ids, 'last']);
    const metrics = await ingest.metrics();
    expect(metrics).toContain('ingest_answers_total{durable="kafka"} 1');
    expect(metrics).toContain('ingest_spool_drained_total 200');
    expect(metrics).toContain('ingest_spool_bytes 0');
  });
});

describe('a spool that is full while Kafka is away', () => {
  it('is said with 503, and ingest goes on when Kafka is back', async () => {
    const port = await unusedPort();
    const ingest = await startAway({
      KAFKA_BROKERS: `127.0.0.1:${port}`,
      INGEST_SPOOL_BYTES: String(16 * 1024 * 1024),
    });
    const large = (id: string) => JSON.stringify({ CtxcbResult: 1, MsgID: id, TextContent: ['x'.repeat(1_000_000)] });
    const taken: string[] = [];
    for (let id = 0; ; id += 1) {
      const { status, answer } = await ingest.post(large(String(id)));
      if (status === 503) {
        expect(answer).toMatchObject({ ActionStatus: 'FAIL', ErrorCode: 1 });
        break;
      }
      taken.push(String(id));
    }
    expect(taken.length).toBeGreaterThan(5);
    await expect.poll(async () => (await ingest.readiness()).reasons.join()).toContain('kept on disk');
    await openWay(port, inject('cluster')['KAFKA_BROKERS'] ?? '');
    await ingest.ready();
    const events = await ingest.read('verdict', taken.length);
    expect(events.map(({ value }) => value.msgId)).toEqual(taken);
    expect((await ingest.post(body)).status).toBe(200);
  });
});

describe('missing topics', () => {
  it('are named when this service may not create them', async () => {
    const ingest = await startAway({ IMWATCH_CREATE_TOPICS: 'false' });
    await expect
      .poll(async () => (await ingest.readiness()).reasons.join(), { timeout: 20_000 })
      .toContain(
        `No topic ${ingestTopicIds.map((id) => `${ingest.prefix}.${id}.v1`).join(', ')}; run \`imwatch topics create\``,
      );
  });
});
