import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../../lib/kafka/partitioner.ts';
import { sdkAppId, vector, verdictCommand } from '../support/callbacks.ts';
import { startTestIngest } from '../support/pipeline.ts';

let ingest: Awaited<ReturnType<typeof startTestIngest>>;
beforeAll(async () => {
  ingest = await startTestIngest();
  await ingest.ready();
});
afterAll(() => ingest.stop());

const ok = { status: 200, answer: { ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0 } };

describe('a signed verdict over HTTP', () => {
  it('is on its topic, decodable by the schema in the registry, when the OK comes', async () => {
    expect(await ingest.post(vector(verdictCommand), { query: { RequestID: 'r-1' } })).toEqual(ok);
    expect(await ingest.count('verdict')).toBe(1);
    const [event] = await ingest.read('verdict', 1);
    expect(event?.key).toBe(`${sdkAppId}/jared`);
    expect(event?.raw.partition).toBe(partitionOf(Buffer.from(`${sdkAppId}/jared`), 3));
    expect(event?.raw.headers).toEqual({});
    expect(event?.raw.timestampMs).toBe(event?.value.receivedAt);
    expect(event?.value).toMatchObject({
      sdkAppId,
      command: verdictCommand,
      requestId: 'r-1',
      fromAccount: 'jared',
      result: 'BLOCKED',
      suggestion: 'REVIEW',
      label: 'Sexy',
      subLabelDescription: '影射XX',
      textContent: ['aaabbbccc', '1234567'],
      extras: null,
    });
    expect(Math.abs((event?.value.receivedAt ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('delivered again is a second record with the same eventId', async () => {
    await ingest.post(vector(verdictCommand), { query: { RequestID: 'r-2' } });
    const [first, second] = await ingest.read('verdict', 2);
    expect(second?.value.eventId).toBe(first?.value.eventId);
    expect(second?.value.requestId).toBe('r-2');
  });

  it('carries a trace context that came with it', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await ingest.post(vector(verdictCommand), { headers: { traceparent } });
    const [, , third] = await ingest.read('verdict', 3);
    expect(String(third?.raw.headers['traceparent'])).toBe(traceparent);
  });

  it('is on the topic once for each of many that come at a time, all of one sender on one partition', async () => {
    const before = await ingest.count('verdict');
    const bodies = Array.from({ length: 200 }, (_, index) =>
      JSON.stringify({ From_Account: 'busy', MsgID: String(index), CtxcbResult: 1 }),
    );
    const answers = await Promise.all(bodies.map((body) => ingest.post(body)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    const events = await ingest.read('verdict', before + 200);
    const ids = events.map(({ value }) => value.eventId);
    expect(new Set(ids.slice(before)).size).toBe(200);
    const partitions = new Set(events.slice(before).map(({ raw }) => raw.partition));
    expect(partitions.size).toBe(1);
  });
});

describe('CloudEvents', () => {
  it('are headers on the record when they are switched on', async () => {
    const other = await startTestIngest({ IMWATCH_CLOUDEVENTS: 'true' });
    await other.ready();
    await other.post(vector(verdictCommand));
    const [event] = await other.read('verdict', 1);
    const headers = Object.fromEntries(
      Object.entries(event?.raw.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    expect(headers).toEqual({
      ce_specversion: '1.0',
      ce_id: event?.value.eventId,
      ce_type: 'com.tencent.im.ContentCallback.ResultNotify',
      ce_source: '/tencent-im/1400187352',
      'content-type': 'application/avro',
    });
    await other.stop();
  });
});

describe('IMWATCH_TEXT=hmac', () => {
  it('keeps texts off the topics', async () => {
    const other = await startTestIngest({ IMWATCH_TEXT: 'hmac', IMWATCH_ID_SECRET: 'key' });
    await other.ready();
    await other.post(vector(verdictCommand));
    await other.post(vector(verdictCommand).replace('"CtxcbResult":1', '"CtxcbResult":7'));
    const [event] = await other.read('verdict', 1);
    const [letter] = await other.read('dead-letter', 1);
    for (const { raw } of [event, letter].filter((each) => each !== undefined)) {
      expect(raw.value?.includes('aaabbbccc')).toBe(false);
    }
    expect(event?.value.textContent[0]).toMatch(/^hmac:[0-9a-f]{32}$/);
    await other.stop();
  });
});
