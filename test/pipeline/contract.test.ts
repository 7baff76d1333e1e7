import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IngestTopicId, ingestTopicIds } from '../../ingest/tencent/request.ts';
import { sdkAppId, smallestVerdict } from '../support/callbacks.ts';
import { startTestIngest } from '../support/pipeline.ts';

let ingest: Awaited<ReturnType<typeof startTestIngest>>;
beforeAll(async () => {
  ingest = await startTestIngest({ INGEST_MAX_BODY_BYTES: '1024' });
  await ingest.ready();
});
afterAll(() => ingest.stop());

const ok = { status: 200, answer: { ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0 } };
const body = JSON.stringify({ ...smallestVerdict, From_Account: 'jared' });

function failed(status: number) {
  return { status, answer: { ActionStatus: 'FAIL', ErrorInfo: expect.any(String), ErrorCode: 1 } };
}

async function counts(): Promise<readonly number[]> {
  return Promise.all(ingestTopicIds.map((id) => ingest.count(id)));
}

async function metric(line: string): Promise<number> {
  const found = (await ingest.metrics()).split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.split(' ')[1] ?? 0);
}

describe('refused, and on no topic', () => {
  it.each([
    ['a wrong Sign', { query: { Sign: 'f'.repeat(64) } }, 'forged'],
    ['no Sign', { query: { Sign: '' } }, 'sign_missing'],
    ['a Sign that is over a minute old', { requestTimeOffsetSec: -90 }, 'stale'],
    ['a Sign from over a minute ahead', { requestTimeOffsetSec: 90 }, 'stale'],
    ['a wrong SDKAppID', { query: { SdkAppid: '1' } }, 'app'],
  ])('%s: 403', async (_what, options, reason) => {
    const before = await counts();
    expect(await ingest.post(body, options)).toEqual(failed(403));
    expect(await metric(`ingest_refused_total{reason="${reason}"}`)).toBeGreaterThanOrEqual(1);
    expect(await counts()).toEqual(before);
  });

  it('a body over the limit: 413', async () => {
    const before = await counts();
    expect(await ingest.post(body.padEnd(1025))).toEqual(failed(413));
    expect(await counts()).toEqual(before);
  });
});

describe('answered OK, and on no topic', () => {
  it.each(['{}', '', ' { } '])('a URL check with body %j', async (payload) => {
    const before = await counts();
    expect(await ingest.post(payload, { command: null })).toEqual(ok);
    expect(await counts()).toEqual(before);
  });

  it('a batch without items', async () => {
    const before = await counts();
    expect(await ingest.post('{"Events":[]}', { command: 'Push.OfflinePush' })).toEqual(ok);
    expect(await counts()).toEqual(before);
  });
});

describe('answered OK, and kept', () => {
  it('an unknown command, whole, on im.callback.v1', async () => {
    const before = await ingest.count('callback');
    const unknown = '{"From_Account":"a","GroupId":"g","EventTime":1629883332497,"New":{"n":12345678901234567890}}';
    expect(await ingest.post(unknown, { command: 'Group.CallbackOfTomorrow' })).toEqual(ok);
    const events = await ingest.read('callback', before + 1);
    expect(events.at(-1)).toMatchObject({
      key: `${sdkAppId}/a`,
      value: {
        command: 'Group.CallbackOfTomorrow',
        occurredAt: 1629883332497,
        fromAccount: 'a',
        groupId: 'g',
        extras: '{"New":{"n":12345678901234567890}}',
      },
    });
  });

  it.each([
    ['broken JSON', '{"Scene":', {}, 'BODY_NOT_JSON', null, ''],
    [
      'a field of a wrong type',
      '{"From_Account":"jared","CtxcbResult":"x"}',
      {},
      'FIELD_INVALID',
      '/CtxcbResult',
      'jared',
    ],
    ['no command', '{"a":1}', { command: null }, 'COMMAND_MISSING', null, ''],
    ['two commands', '{"CallbackCommand":"A.B"}', { command: 'C.D' }, 'COMMAND_MISMATCH', '/CallbackCommand', ''],
    ['another app in the body', '{"SdkAppId":1,"CtxcbResult":0}', {}, 'APP_MISMATCH', '/SdkAppId', ''],
    ['too deep', `{"a":${'['.repeat(64)}${']'.repeat(64)}}`, {}, 'BODY_TOO_DEEP', null, ''],
  ] as const)('%s, as a dead letter', async (_what, payload, options, reason, fieldPath, account) => {
    const before = await ingest.count('dead-letter');
    expect(await ingest.post(payload, options)).toEqual(ok);
    const letter = (await ingest.read('dead-letter', before + 1)).find(
      ({ value }) => value.body?.toString() === payload,
    );
    expect(letter?.key).toBe(`${sdkAppId}/${account}`);
    expect(letter?.value).toMatchObject({ service: 'ingest', reason, fieldPath, sdkAppId, attempts: 1 });
    expect(letter?.value.detail.length).toBeGreaterThan(10);
    expect(letter?.value.query).not.toContain('Sign');
  });

  it('a batch: an event an item, the bad one alone a dead letter', async () => {
    const before = await counts();
    const batch = JSON.stringify({
      Events: [{ EventTime: 1700000000, To_Account: 'a' }, 7, { EventTime: 1700000001 }],
    });
    expect(await ingest.post(batch, { command: 'Push.OfflinePush' })).toEqual(ok);
    const more: Partial<Record<IngestTopicId, number>> = { push: 2, 'dead-letter': 1 };
    expect(await counts()).toEqual(ingestTopicIds.map((id, index) => (before[index] ?? 0) + (more[id] ?? 0)));
  });
});

describe('/ready', () => {
  it('is degraded when a share of the signed requests is stale, and says why', async () => {
    const other = await startTestIngest();
    await other.ready();
    await other.post(body, { requestTimeOffsetSec: -120 });
    expect(await other.readiness()).toEqual({
      status: 'degraded',
      reasons: ['100 % of the requests with a right Sign are more than 60 s off: is the clock of this host right?'],
    });
    await other.stop();
  });
});
