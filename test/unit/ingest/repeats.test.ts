import { describe, expect, it, onTestFinished } from 'vitest';
import { Repeats } from '../../../ingest/http/repeats.ts';
import { DeadlineError } from '../../../ingest/publish/deadline.ts';
import { verdictCommand } from '../../support/callbacks.ts';
import { anIngestApp, metricOf, signedUrl } from '../../support/ingest-app.ts';

const minuteMs = 60_000;

/** An event with an id as translation makes them: 32 hexadecimal digits, here by a place in the table and what stands in it. */
const id = (slot: number, rest: number) => ({
  value: { eventId: [slot, rest, rest, 0].map((part) => part.toString(16).padStart(8, '0')).join('') },
});

describe('Repeats', () => {
  const a = id(1, 10);
  const b = id(2, 20);
  const c = id(3, 30);

  it('sees an id again for two minutes', () => {
    const repeats = new Repeats();
    expect(repeats.durable([a, b], 0)).toBe(0);
    expect(repeats.durable([b, c], minuteMs)).toBe(1);
    expect(repeats.durable([a], 2 * minuteMs)).toBe(1);
    expect(repeats.durable([c], 3 * minuteMs)).toBe(1);
    expect(repeats.durable([b], 3 * minuteMs + 1_000)).toBe(0);
  });

  it('takes an id for no other, and forgets the one whose place another takes', () => {
    const repeats = new Repeats(4);
    const other = id(1, 11);
    expect(repeats.durable([a, other], 0)).toBe(0);
    expect(repeats.durable([other], 0)).toBe(1);
    expect(repeats.durable([a], 0)).toBe(0);
  });

  it('has a place for each of some hundred ids', () => {
    const repeats = new Repeats();
    const ids = Array.from({ length: 500 }, (_, index) => id(index, index));
    expect(repeats.durable(ids, 0)).toBe(0);
    expect(repeats.durable(ids, 0)).toBe(500);
  });
});

describe('a callback that comes twice', () => {
  function setUp(options: Parameters<typeof anIngestApp>[0] = {}) {
    const parts = anIngestApp(options);
    onTestFinished(() => parts.app.close());
    const post = (payload: string) =>
      parts.app.inject({ method: 'POST', url: signedUrl(verdictCommand, parts.clock.nowMs()), payload });
    return { ...parts, post, repeated: () => metricOf(parts.metrics, 'ingest_repeated_events_total') };
  }
  const verdict = (id: string) => JSON.stringify({ CtxcbResult: 1, CtxcbRequestId: id });

  it('is written twice, with one eventId, and counted as repeated', async () => {
    const { post, published, repeated } = setUp();
    for (const id of ['1', '2', '1']) expect((await post(verdict(id))).statusCode).toBe(200);
    const ids = published.map(({ value }) => value.eventId);
    expect(ids).toEqual([ids[0], ids[1], ids[0]]);
    expect(await repeated()).toBe(1);
  });

  it('is not repeated when the first was not durable', async () => {
    let isDurable = false;
    const publish = () => (isDurable ? Promise.resolve('kafka' as const) : Promise.reject(new DeadlineError('late')));
    const { post, repeated } = setUp({ publish });
    expect((await post(verdict('1'))).statusCode).toBe(503);
    isDurable = true;
    expect((await post(verdict('1'))).statusCode).toBe(200);
    expect(await repeated()).toBe(0);
  });
});

describe('the difference of the clocks', () => {
  it('is the mean of RequestTime minus our time over the valid requests of the last minutes, and unknown without any', async () => {
    const { app, clock, metrics } = anIngestApp();
    onTestFinished(() => app.close());
    const post = (aheadMs: number) =>
      app.inject({ method: 'POST', url: signedUrl(verdictCommand, clock.nowMs() + aheadMs), payload: '{}' });
    const exposed = async () => /^ingest_clock_difference_seconds (\S+)$/m.exec(await metrics.registry.metrics())?.[1];
    expect(await exposed()).toBeUndefined();
    await post(-30_000);
    expect(await exposed()).toBe('-30');
    await post(-20_000);
    expect(await exposed()).toBe('-25');
    await post(-61_000);
    expect(await exposed()).toBe('-25');
    clock.advance(minuteMs);
    await post(5_000);
    expect(await exposed()).toBe('-15');
    clock.advance(minuteMs);
    expect(await exposed()).toBe('5');
    clock.advance(minuteMs);
    expect(await exposed()).toBeUndefined();
  });
});
