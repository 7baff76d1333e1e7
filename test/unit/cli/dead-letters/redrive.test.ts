import { describe, expect, it } from 'vitest';
import { Pace } from '../../../../cli/dead-letters/pace.ts';
import { Redriver, type RedriverOptions } from '../../../../cli/dead-letters/redrive.ts';
import { retranslate } from '../../../../cli/dead-letters/retranslate.ts';
import { EventTooLargeError } from '../../../../ingest/publish/prepared.ts';
import { KafkaRequestError } from '../../../../lib/kafka/admin.ts';
import { someRules } from '../../../support/callbacks.ts';
import { aLetter, placed } from '../../../support/dead-letters.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const ids = Array.from({ length: 200 }, (_none, index) => index.toString(16).padStart(32, '0'));
const letters = placed(...ids.map((eventId) => aLetter({ eventId })));

function setUp(more: Partial<RedriverOptions> = {}, perSecond = 1_000_000) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const written: string[] = [];
  const progress: number[] = [];
  const redriver = new Redriver({
    attempt: (letter) => Promise.resolve(retranslate(letter, someRules())),
    write: (attempt) => {
      if (attempt.kind === 'events') written.push(...attempt.events.map(({ value }) => value.eventId));
      return Promise.resolve(['im.verdict.v1']);
    },
    pace: new Pace(clock, perSecond),
    stop,
    onProgress: (done) => progress.push(done),
    ...more,
  });
  const takeAll = async (count: number): Promise<void> => {
    for (const each of letters.slice(0, count)) await redriver.take(each);
  };
  return { clock, stop, written, progress, redriver, takeAll };
}

/** Lets everything run that waits for no clock. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a redrive', () => {
  it('keeps to its rate: 50 a second are 50 in each second and never more', async () => {
    const { clock, written, redriver, takeAll } = setUp({}, 50);
    const all = takeAll(120);
    const after: number[] = [];
    for (let ms = 0; ms <= 2_400; ms += 20) {
      await settle();
      if (ms % 500 === 0) after.push(written.length);
      clock.advance(20);
    }
    await all;
    expect(after).toEqual([1, 26, 51, 76, 101]);
    expect((await redriver.end()).done).toBe(120);
  });

  it('does not make up for time in which nothing was there to be written', async () => {
    const clock = new ManualClock();
    const pace = new Pace(clock, 10);
    const { signal } = new AbortController();
    await pace.turn(1, signal);
    clock.advance(60_000);
    await pace.turn(1, signal);
    void pace.turn(1, signal);
    expect(clock.waiting).toBe(1);
  });

  it('counts each event of a batch', async () => {
    const clock = new ManualClock();
    const pace = new Pace(clock, 10);
    const { signal } = new AbortController();
    await pace.turn(5, signal);
    let isNext = false;
    void pace.turn(1, signal).then(() => {
      isNext = true;
    });
    clock.advance(499);
    await settle();
    expect(isNext).toBe(false);
    clock.advance(1);
    await settle();
    expect(isNext).toBe(true);
  });

  it('counts what is durable, by topic, and tells its progress', async () => {
    const { redriver, takeAll, progress, clock } = setUp();
    const all = takeAll(3);
    await settle();
    clock.advance(1);
    await all;
    expect(await redriver.end()).toEqual({ done: 3, written: { 'im.verdict.v1': 3 }, kept: [], failure: undefined });
    expect(progress).toEqual([1, 2, 3]);
  });

  it('takes none twice, also when it is read again', async () => {
    const { redriver, written, takeAll, clock } = setUp();
    for (const _time of [1, 2]) {
      const all = takeAll(3);
      await settle();
      clock.advance(1);
      await all;
    }
    await redriver.end();
    expect(written).toEqual(ids.slice(0, 3));
  });

  it('stops between two when it is told to, while it waits for its turn, and says what is done', async () => {
    const { clock, stop, written, redriver, takeAll } = setUp({}, 1);
    const all = takeAll(10);
    await settle();
    clock.advance(1_000);
    await settle();
    stop.abort();
    await all;
    expect(written).toEqual(ids.slice(0, 2));
    expect(clock.waiting).toBe(0);
    expect(await redriver.end()).toMatchObject({ done: 2, failure: undefined });
  });

  it('leaves what Kafka will never take, and goes on', async () => {
    const { redriver, takeAll, clock } = setUp({
      write: (attempt) => {
        const isSecond = attempt.kind === 'events' && attempt.events[0]?.value.eventId === ids[1];
        return isSecond ? Promise.reject(new EventTooLargeError('5 MB')) : Promise.resolve(['im.verdict.v1']);
      },
    });
    const all = takeAll(3);
    await settle();
    clock.advance(1);
    await all;
    expect(await redriver.end()).toMatchObject({ done: 2, kept: [{ eventId: ids[1], detail: '5 MB' }] });
  });

  it('ends with the first failure of Kafka, and says what was done before', async () => {
    let writes = 0;
    const { redriver, takeAll, clock } = setUp(
      {
        write: () => {
          writes += 1;
          return writes < 3 ? Promise.resolve(['im.verdict.v1']) : Promise.reject(new KafkaRequestError('Kafka: away'));
        },
      },
      1_000,
    );
    const all = takeAll(10);
    for (let ms = 0; ms < 10; ms += 1) {
      await settle();
      clock.advance(1);
    }
    await all;
    expect(await redriver.end()).toMatchObject({ done: 2, failure: { message: 'Kafka: away' } });
    expect(writes).toBe(3);
  });

  it('has at most 64 writes in flight', async () => {
    const waiting: (() => void)[] = [];
    const { redriver, takeAll, clock } = setUp({
      write: () => new Promise((resolve) => waiting.push(() => resolve(['im.verdict.v1']))),
    });
    const all = takeAll(100);
    for (let ms = 0; ms < 100; ms += 1) {
      await settle();
      clock.advance(1);
    }
    expect(waiting).toHaveLength(64);
    waiting.shift()?.();
    await settle();
    clock.advance(1);
    await settle();
    expect(waiting).toHaveLength(64);
    while (waiting.length > 0) {
      for (const resolve of waiting.splice(0)) resolve();
      await settle();
      clock.advance(1);
      await settle();
    }
    await all;
    expect((await redriver.end()).done).toBe(100);
  });
});
