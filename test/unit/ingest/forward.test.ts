import { setImmediate as turn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { IngestConfig } from '../../../ingest/config.ts';
import { isAnswer } from '../../../ingest/forward/answer.ts';
import { Backend } from '../../../ingest/forward/backend.ts';
import { Forwarder } from '../../../ingest/forward/forwarder.ts';
import { createForwardMetrics, type ForwardOutcome } from '../../../ingest/forward/metrics.ts';
import { type RelayLimits, RelayQueue } from '../../../ingest/forward/relay-queue.ts';
import type { Relayed } from '../../../ingest/forward/relayed.ts';
import { startForwarding } from '../../../ingest/forward/start.ts';
import { QueueFullError } from '../../../ingest/publish/batcher.ts';
import { asksBefore } from '../../../ingest/tencent/commands.ts';
import { type Logger, silentLogger } from '../../../lib/logger.ts';
import { allowing, answering, BackendStandIn, type Behaviour, hanging } from '../../support/backend-stand-in.ts';
import { smallestVerdict, verdictCommand } from '../../support/callbacks.ts';
import { anIngestApp, signedUrl } from '../../support/ingest-app.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const after = verdictCommand;
const before = 'C2C.CallbackBeforeSendMsg';
const deadlineMs = 1_700;

async function setUp({
  behaviour = allowing,
  ...limits
}: Partial<RelayLimits> & { readonly behaviour?: Behaviour } = {}) {
  const standIn = await BackendStandIn.start(behaviour);
  const clock = new ManualClock();
  const backend = new Backend({ url: standIn.url, caFile: undefined, connections: 8 });
  let retries = 0;
  const onRetry = () => {
    retries += 1;
  };
  const queue = new RelayQueue(
    backend,
    { queueBytes: 1e6, connections: 8, retryMs: 45_000, ...limits },
    { clock, random: () => 1, onRetry },
  );
  const registry = new Registry();
  const metrics = createForwardMetrics(registry, queue);
  const outcomes: ForwardOutcome[] = [];
  const forwarder = new Forwarder({
    backend,
    queue,
    deadlineMs,
    asksBefore,
    metrics: {
      ...metrics,
      done: (kind, outcome, seconds) => {
        outcomes.push(outcome);
        metrics.done(kind, outcome, seconds);
      },
    },
    clock,
    logger: silentLogger,
  });
  onTestFinished(async () => {
    queue.stop();
    await backend.close();
    await standIn.stop();
  });
  const outcome = async (count = 1): Promise<ForwardOutcome | undefined> => {
    while (outcomes.length < count) await turn();
    return outcomes[count - 1];
  };
  return { standIn, clock, queue, forwarder, registry, outcomes, outcome, retries: () => retries };
}

function aCallback(clock: ManualClock, command: string, body = '{"a":1}'): Relayed {
  return {
    command,
    queryString: `SdkAppid=1&CallbackCommand=${command}&Sign=abc&RequestTime=17`,
    body: Buffer.from(body),
    remoteAddress: '203.0.113.7',
    traceparent: undefined,
    startedMs: clock.monotonicMs(),
  };
}

describe('a callback after something happened', () => {
  it('reaches the backend as it came, query and bytes, with where it came from', async () => {
    const { standIn, clock, forwarder, outcome } = await setUp();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const callback = { ...aCallback(clock, after, '\ufeff{"a" :\t1}'), traceparent };
    expect(await forwarder.relay(callback)).toBeUndefined();
    const [taken] = await standIn.requests(1);
    expect(taken?.url).toBe(`/im/callback?${callback.queryString}`);
    expect(taken?.body.equals(callback.body)).toBe(true);
    expect(taken?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-forwarded-for': '203.0.113.7',
      'x-imwatch-forwarded': '1',
      traceparent,
    });
    expect(await outcome()).toBe('ok');
  });

  it('is not waited for', async () => {
    const { standIn, clock, forwarder, outcomes } = await setUp({ behaviour: hanging });
    await forwarder.relay(aCallback(clock, after));
    await standIn.requests(1);
    expect(outcomes).toEqual([]);
  });

  it('is tried again while the backend fails, with growing pauses', async () => {
    const { standIn, clock, forwarder, outcome, retries } = await setUp({ behaviour: answering(503, '') });
    await forwarder.relay(aCallback(clock, after));
    for (const [count, pauseMs] of [250, 500, 1_000].entries()) {
      await standIn.requests(count + 1);
      await waitForTimer(clock, pauseMs);
      if (count === 2) standIn.behaviour = allowing;
      clock.advance(pauseMs);
    }
    expect(await outcome()).toBe('ok');
    expect(retries()).toBe(3);
  });

  it('fails when it has become too old, and at once where nothing is tried again', async () => {
    const { clock, forwarder, outcome } = await setUp({ behaviour: answering(500, ''), retryMs: 0 });
    await forwarder.relay(aCallback(clock, after));
    expect(await outcome()).toBe('failed');
  });

  it('is refused when the backend says so itself, and not tried again', async () => {
    const { standIn, clock, forwarder, outcome } = await setUp({ behaviour: answering(403, '') });
    await forwarder.relay(aCallback(clock, after));
    expect(await outcome()).toBe('refused');
    expect(standIn.taken.length).toBe(1);
  });

  it('is tried again after two seconds without an answer', async () => {
    const { standIn, clock, forwarder, outcome } = await setUp({ behaviour: hanging });
    await forwarder.relay(aCallback(clock, after));
    await standIn.requests(1);
    clock.advance(2_000);
    standIn.behaviour = allowing;
    await waitForTimer(clock, 250);
    clock.advance(250);
    expect(await outcome()).toBe('ok');
  });

  it('is dropped when too many wait', async () => {
    const { standIn, clock, forwarder, queue, outcome } = await setUp({ behaviour: hanging, queueBytes: 4_000 });
    await forwarder.relay(aCallback(clock, after, 'x'.repeat(1_500)));
    await standIn.requests(1);
    await forwarder.relay(aCallback(clock, after, 'x'.repeat(1_500)));
    expect(await outcome()).toBe('dropped');
    expect(queue.callbacks).toBe(1);
    expect(queue.bytes).toBeLessThan(4_000);
  });

  it('is dropped when too many wait, however small they are', async () => {
    const { clock, forwarder, queue, outcome } = await setUp({ behaviour: hanging, queueBytes: 10 * 1_200 });
    for (let count = 0; count < 11; count += 1) await forwarder.relay(aCallback(clock, after, '1'));
    expect(await outcome()).toBe('dropped');
    expect(queue.callbacks).toBe(10);
  });

  it('is not sent any more when its turn comes after a minute', async () => {
    const { standIn, clock, forwarder, outcome } = await setUp({ behaviour: hanging, connections: 1 });
    await forwarder.relay(aCallback(clock, after, '1'));
    await standIn.requests(1);
    const old = aCallback(clock, after, '2');
    await forwarder.relay({ ...old, startedMs: old.startedMs - 54_000 });
    clock.advance(2_000);
    expect(await outcome()).toBe('failed');
    expect(standIn.taken.map(({ body }) => body.toString())).toEqual(['1']);
  });

  it('waits for its turn when as many as may be are on their way', async () => {
    const { standIn, clock, forwarder, outcome } = await setUp({ behaviour: hanging, connections: 1, retryMs: 0 });
    await forwarder.relay(aCallback(clock, after, '1'));
    await forwarder.relay(aCallback(clock, after, '2'));
    await standIn.requests(1);
    expect(standIn.taken.map(({ body }) => body.toString())).toEqual(['1']);
    standIn.behaviour = allowing;
    clock.advance(2_000);
    expect(await outcome(1)).toBe('failed');
    expect(await outcome(2)).toBe('ok');
    expect(standIn.taken.map(({ body }) => body.toString())).toEqual(['1', '2']);
  });

  it('is dropped by a stop', async () => {
    const { standIn, clock, forwarder, queue, outcomes } = await setUp({ behaviour: hanging });
    await forwarder.relay(aCallback(clock, after));
    await standIn.requests(1);
    queue.stop();
    await queue.drained();
    await turn();
    expect(outcomes).toEqual(['dropped']);
    expect(queue.bytes).toBe(0);
  });
});

describe('a stop of ingest', () => {
  it('gives callbacks that wait a last time, drops the rest, and says how many they were', async () => {
    const standIn = await BackendStandIn.start(hanging);
    onTestFinished(() => standIn.stop());
    const clock = new ManualClock();
    const registry = new Registry();
    const warnings: unknown[] = [];
    const logger = { info: () => undefined, warn: (details: unknown) => warnings.push(details) } as unknown as Logger;
    const config = {
      forwardUrl: standIn.url,
      forwardCa: undefined,
      forwardConnections: 8,
      forwardDeadlineMs: deadlineMs,
      forwardQueueBytes: 1e6,
      forwardRetryMs: 45_000,
    } as IngestConfig;
    const forwarding = startForwarding(config, registry, clock, logger);
    await forwarding?.forwarder.relay(aCallback(clock, after));
    await forwarding?.forwarder.relay(aCallback(clock, after));
    await standIn.requests(2);
    const stopped = forwarding?.stop(1_200);
    expect(warnings).toEqual([]);
    clock.advance(1_200);
    await stopped;
    expect(warnings[0]).toEqual({ callbacks: 2 });
    expect(await registry.metrics()).toContain('ingest_forwarded_total{kind="after",outcome="dropped"} 2');
  });
});

describe('a callback that asks before something happens', () => {
  it("gets the backend's answer, letter by letter", async () => {
    const text = '{ "ActionStatus":"OK","ErrorInfo":"","ErrorCode":1, "Own":[1.0] }';
    const { clock, forwarder, outcomes } = await setUp({ behaviour: answering(200, text) });
    expect(await forwarder.relay(aCallback(clock, before))).toBe(text);
    expect(outcomes).toEqual(['answered']);
  });

  it('gets none when the backend is late', async () => {
    const { standIn, clock, forwarder, outcomes } = await setUp({ behaviour: hanging });
    const callback = aCallback(clock, before);
    clock.advance(300);
    const answer = forwarder.relay(callback);
    await standIn.requests(1);
    clock.advance(deadlineMs - 300);
    expect(await answer).toBeUndefined();
    expect(outcomes).toEqual(['late']);
  });

  it('is not sent when no time is left', async () => {
    const { standIn, clock, forwarder, outcomes } = await setUp();
    const callback = aCallback(clock, before);
    clock.advance(deadlineMs);
    expect(await forwarder.relay(callback)).toBeUndefined();
    expect(outcomes).toEqual(['late']);
    expect(standIn.taken).toEqual([]);
  });

  it.each([
    ['a failure', answering(500, '{"ErrorCode":1}'), 'invalid'],
    ['no JSON', answering(200, '<html>'), 'invalid'],
    ['JSON without an ErrorCode', answering(200, '{"ok":true}'), 'invalid'],
    ['an answer of 100 KB', answering(200, `{"ErrorCode":0,"x":"${'x'.repeat(100_000)}"}`), 'failed'],
    ['a broken connection', ((response) => response.destroy()) satisfies Behaviour, 'failed'],
  ])('gets none for %s', async (_what, behaviour, outcome) => {
    const { clock, forwarder, outcomes } = await setUp({ behaviour });
    expect(await forwarder.relay(aCallback(clock, before))).toBeUndefined();
    expect(outcomes).toEqual([outcome]);
  });

  it('gets none while the answer comes drop by drop', async () => {
    const dripping: Behaviour = (response) => {
      response.writeHead(200).write('{');
    };
    const { standIn, clock, forwarder, outcomes } = await setUp({ behaviour: dripping });
    const answer = forwarder.relay(aCallback(clock, before));
    await standIn.requests(1);
    clock.advance(deadlineMs);
    expect(await answer).toBeUndefined();
    expect(outcomes).toEqual(['late']);
  });

  it('gets none from a backend that is not there', async () => {
    const { standIn, clock, forwarder, outcomes } = await setUp();
    await standIn.stop();
    expect(await forwarder.relay(aCallback(clock, before))).toBeUndefined();
    expect(outcomes).toEqual(['failed']);
  });

  it('is answered though those after something happened take all their connections', async () => {
    const { standIn, clock, forwarder } = await setUp({ behaviour: hanging, connections: 1 });
    await forwarder.relay(aCallback(clock, after));
    await standIn.requests(1);
    standIn.behaviour = allowing;
    expect(await forwarder.relay(aCallback(clock, before))).toContain('"ErrorCode":0');
  });
});

describe("a backend's answer", () => {
  it.each([
    [200, '{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}', true],
    [200, '{"ErrorCode":120001}', true],
    [200, '{"ErrorCode":"0"}', false],
    [200, '{"ErrorCode":0.5}', false],
    [200, '[]', false],
    [200, 'null', false],
    [200, '', false],
    [204, '{"ErrorCode":0}', false],
  ])('%i %s may be passed on: %s', (status, text, expected) => {
    expect(isAnswer(status, text)).toBe(expected);
  });
});

describe('ingest with a backend', () => {
  function ingestWith(forwarder: Forwarder) {
    const parts = anIngestApp({ forwarder });
    onTestFinished(() => parts.app.close());
    const post = (command: string, body: object | string, headers: Record<string, string> = {}) =>
      parts.app.inject({
        method: 'POST',
        url: signedUrl(command, parts.clock.nowMs()),
        payload: typeof body === 'string' ? body : JSON.stringify(body),
        headers,
      });
    return { ...parts, post };
  }

  it("answers with the backend's words where it asks before, with its own otherwise", async () => {
    const { standIn, forwarder } = await setUp({ behaviour: answering(200, '{"ErrorCode":2}') });
    const { post } = ingestWith(forwarder);
    expect((await post(before, { MsgTime: 1 })).body).toBe('{"ErrorCode":2}');
    expect((await post(after, smallestVerdict)).json()).toEqual({ ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0 });
    await standIn.requests(2);
  });

  it('relays dead letters, and neither URL checks nor what is forged nor what is not durable', async () => {
    const { standIn, forwarder } = await setUp();
    const { post, app, clock } = ingestWith(forwarder);
    await post(after, '');
    await app.inject({ method: 'POST', url: signedUrl(after, clock.nowMs(), { Sign: 'f'.repeat(64) }), payload: '{}' });
    const failing = anIngestApp({ forwarder, publish: () => Promise.reject(new Error('never durable')) });
    onTestFinished(() => failing.app.close());
    const lost = await failing.app.inject({
      method: 'POST',
      url: signedUrl(after, failing.clock.nowMs()),
      payload: JSON.stringify(smallestVerdict),
    });
    expect(lost.statusCode).toBe(500);
    const full = new QueueFullError('too many wait');
    const refusing = anIngestApp({ forwarder, publish: () => Promise.reject(full) });
    onTestFinished(() => refusing.app.close());
    const url = signedUrl(after, refusing.clock.nowMs());
    const refused = await refusing.app.inject({ method: 'POST', url, payload: JSON.stringify(smallestVerdict) });
    expect(refused.statusCode).toBe(503);
    await post(after, '[1]');
    const taken = await standIn.requests(1);
    expect(taken.map(({ body }) => body.toString())).toEqual(['[1]']);
  });

  it('does not relay what it has relayed before, so that nothing goes round for ever', async () => {
    const { standIn, forwarder, outcomes } = await setUp();
    const { post } = ingestWith(forwarder);
    const answer = await post(after, smallestVerdict, { 'x-imwatch-forwarded': '1' });
    expect(answer.statusCode).toBe(200);
    expect(outcomes).toEqual(['loop']);
    expect(standIn.taken).toEqual([]);
  });

  it('counts what became of each', async () => {
    const { clock, forwarder, registry, outcome } = await setUp();
    await forwarder.relay(aCallback(clock, after));
    await outcome();
    await forwarder.relay(aCallback(clock, before));
    const text = await registry.metrics();
    expect(text).toContain('ingest_forwarded_total{kind="after",outcome="ok"} 1');
    expect(text).toContain('ingest_forwarded_total{kind="before",outcome="answered"} 1');
    expect(text).toContain('ingest_forward_waiting 0');
  });
});

/** Waits until something waits for this time of the clock, or less. */
async function waitForTimer(clock: ManualClock, withinMs: number): Promise<void> {
  while (clock.nextMs === undefined || clock.nextMs > withinMs) await turn();
}
