import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inOrder, type Timed, withFollowers } from '../../../dev/traffic/order.ts';
import { hoursBetween, peakRate, rateAtHour } from '../../../dev/traffic/time-of-day.ts';

const times = fc.array(fc.nat({ max: 1_000 })).map((list) => list.toSorted((a, b) => a - b));

function timed(list: readonly number[]): readonly Timed[] {
  return list.map((atMs) => ({ atMs }));
}

describe('inOrder', () => {
  it('gives what all streams hold, in order of time', () => {
    fc.assert(
      fc.property(fc.array(times), (streams) => {
        const merged = Array.from(inOrder(streams.map(timed)), ({ atMs }) => atMs);
        expect(merged).toEqual(streams.flat().toSorted((a, b) => a - b));
      }),
    );
  });

  it('takes one item of each stream in advance, and no more', () => {
    let made = 0;
    const endless = function* (): Generator<Timed> {
      for (;;) yield { atMs: made++ };
    };
    const merged = inOrder([endless(), endless()]);
    expect(Array.from(merged.take(10))).toHaveLength(10);
    expect(made).toBeLessThanOrEqual(12);
  });
});

describe('withFollowers', () => {
  it('puts what follows, and what follows from that, into the order of time', () => {
    fc.assert(
      fc.property(times, fc.nat({ max: 300 }), (list, delayMs) => {
        const all = withFollowers(
          list.map((atMs) => ({ atMs, generation: 0 })),
          ({ atMs, generation }) => (generation < 2 ? [{ atMs: atMs + delayMs, generation: generation + 1 }] : []),
        );
        const expected = list.flatMap((atMs) => [atMs, atMs + delayMs, atMs + 2 * delayMs]);
        expect(Array.from(all, ({ atMs }) => atMs)).toEqual(expected.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('the time of day', () => {
  it('has a mean of one over the day, and no more than its peak', () => {
    const rates = Array.from({ length: 2_400 }, (_, index) => rateAtHour(index / 100));
    expect(rates.reduce((sum, rate) => sum + rate, 0) / rates.length).toBeCloseTo(1, 6);
    expect(Math.max(...rates)).toBe(peakRate);
    expect(rateAtHour(23.999)).toBeCloseTo(rateAtHour(0), 2);
  });

  it('goes around: an hour before midnight is near one after it', () => {
    expect([hoursBetween(23, 1), hoursBetween(1, 23), hoursBetween(6, 18), hoursBetween(20, 9)]).toEqual([
      2, 2, 12, 11,
    ]);
  });
});
