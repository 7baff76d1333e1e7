import { describe, expect, it, onTestFinished } from 'vitest';
import { answering, BackendStandIn, hanging } from '../support/backend-stand-in.ts';
import { vector, verdictCommand } from '../support/callbacks.ts';
import { startTestIngest } from '../support/pipeline.ts';

const before = 'C2C.CallbackBeforeSendMsg';

describe('ingest with a backend behind it', () => {
  it('puts each callback on its topic and gives it to the backend byte for byte, and passes on what the backend decides', async () => {
    const forbid = '{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":1}';
    const backend = await BackendStandIn.start(answering(200, forbid));
    onTestFinished(() => backend.stop());
    const ingest = await startTestIngest({ INGEST_FORWARD_URL: backend.url });
    onTestFinished(() => ingest.stop());
    await ingest.ready();

    const verdict = vector(verdictCommand);
    expect(await ingest.post(verdict)).toMatchObject({ status: 200, answer: { ErrorCode: 0 } });
    const message = vector(before);
    expect(await ingest.post(message, { command: before })).toMatchObject({ status: 200, answer: { ErrorCode: 1 } });

    const taken = await backend.requests(2);
    expect(taken.map(({ body }) => body.toString()).toSorted()).toEqual([verdict, message].toSorted());
    expect(taken.every(({ url }) => /[?&]Sign=[0-9a-f]{64}/.test(url))).toBe(true);
    expect(await ingest.read('verdict', 1)).toMatchObject([{ value: { fromAccount: 'jared' } }]);
    expect(await ingest.read('message', 1)).toMatchObject([{ value: { command: before } }]);
    expect(await ingest.metrics()).toContain('ingest_forwarded_total{kind="before",outcome="answered"} 1');
  });

  it('answers within two seconds when the backend hangs, with the configured answer where it asks before', async () => {
    const backend = await BackendStandIn.start(hanging);
    onTestFinished(() => backend.stop());
    const ingest = await startTestIngest({
      INGEST_FORWARD_URL: backend.url,
      INGEST_FORWARD_DEADLINE_MS: '300',
      INGEST_BEFORE_ANSWERS: '{"C2C.CallbackBeforeSendMsg":"discard"}',
    });
    onTestFinished(() => ingest.stop());
    await ingest.ready();
    const [asked, told] = await Promise.all([
      ingest.post(vector(before), { command: before }),
      ingest.post(vector(verdictCommand)),
    ]);
    expect(asked).toMatchObject({ status: 200, answer: { ErrorCode: 2 } });
    expect(told).toMatchObject({ status: 200, answer: { ErrorCode: 0 } });
    expect(await ingest.metrics()).toContain('ingest_forwarded_total{kind="before",outcome="late"} 1');
  });
});
