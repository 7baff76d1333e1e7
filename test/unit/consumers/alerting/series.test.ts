import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Series } from '../../../../consumers/alerting/series.ts';
import { receivedAtMs as startMs } from '../../../support/callbacks.ts';

const windowMs = 10_000;
const bucketMs = 1_000;

/** A series since `startMs` with a verdict at each of these times after it. */
function seriesWith(...afterMs: readonly number[]): Series {
  const series = new Series(windowMs, startMs);
  for (const ms of afterMs) series.add(startMs + ms, 'jared', 'Group');
  return series;
}

/** This many verdicts in each bucket of the first windows. */
function steady(windows: number, perBucket: number): readonly number[] {
  return Array.from({ length: windows * 10 }, (_, bucket) => Array<number>(perBucket).fill(bucket * bucketMs)).flat();
}

describe('window', () => {
  it('is the bucket of its end and the nine before', () => {
    const series = seriesWith(0, 999, 1_000, 9_999, 10_000);
    expect(series.window(startMs + 9_999).verdicts).toBe(4);
    expect(series.window(startMs + 10_000).verdicts).toBe(3);
    expect(series.window(startMs + 11_000).verdicts).toBe(2);
    expect(series.window(startMs + 20_000).verdicts).toBe(0);
  });

  it('counts by sender and by scene', () => {
    const series = seriesWith();
    for (const [sender, scene] of [
      ['a', 'C2C'],
      ['a', 'Group'],
      ['b', 'Group'],
    ] as const) {
      series.add(startMs, sender, scene);
    }
    const { verdicts, senders, scenes } = series.window(startMs);
    expect(verdicts).toBe(3);
    expect(Object.fromEntries(senders)).toEqual({ a: 2, b: 1 });
    expect(Object.fromEntries(scenes)).toEqual({ C2C: 1, Group: 2 });
  });
});

describe('expected', () => {
  it('is not known before the series is older than a window', () => {
    const series = seriesWith(0, 0, 0);
    expect(series.expected(startMs + 9_999)).toBeUndefined();
    expect(series.expected(startMs + 10_000)).toBe(30);
  });

  it('is what a window had on average in the ten before, the present one left out', () => {
    const series = seriesWith(...steady(10, 2), 105_000, 106_000);
    expect(series.expected(startMs + 109_999)).toBe(20);
    expect(series.expected(startMs + 119_999)).toBe(18.2);
    expect(series.expected(startMs + 309_999)).toBe(0);
  });

  it('is by the time since the series began while that is less', () => {
    expect(seriesWith(...steady(3, 1)).expected(startMs + 39_999)).toBe(10);
  });

  it('leaves out incidents, also what is added to them later', () => {
    const series = seriesWith(...steady(10, 1));
    series.exclude(startMs + 39_999, startMs + 59_999);
    for (let count = 0; count < 100; count += 1) series.add(startMs + 50_000, 'b', 'C2C');
    expect(series.expected(startMs + 109_999)).toBe(10);
  });

  it('is not known when all the time before was an incident', () => {
    const series = seriesWith(...steady(10, 1));
    series.exclude(startMs - 1, startMs + 99_999);
    expect(series.expected(startMs + 109_999)).toBeUndefined();
  });

  it('at a steady rate is what every window has, whatever was left out', () => {
    const anIncident = fc.record({ begin: fc.integer({ min: 0, max: 99 }), length: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(anIncident, { maxLength: 3 }), (perBucket, incidents) => {
        const series = seriesWith(...steady(11, perBucket));
        for (const { begin, length } of incidents) {
          series.exclude(startMs + begin * bucketMs - 1, startMs + (begin + length) * bucketMs - 1);
        }
        const nowMs = startMs + 109_999;
        expect(series.expected(nowMs)).toBe(perBucket * 10);
        expect(series.window(nowMs).verdicts).toBe(perBucket * 10);
      }),
    );
  });
});

describe('forget', () => {
  it('drops what eleven windows do not reach any more, and says whether anything is left', () => {
    const series = seriesWith(0, 5_000);
    expect(series.forget(startMs + 110_000)).toBe(true);
    expect(series.forget(startMs + 115_999)).toBe(true);
    expect(series.window(startMs + 5_000).verdicts).toBe(1);
    expect(series.forget(startMs + 116_000)).toBe(false);
  });

  it('remembers an incident as long as a window may reach it', () => {
    const series = seriesWith();
    series.exclude(startMs, startMs + 5_000);
    expect(series.forget(startMs + 115_999)).toBe(true);
    expect(series.forget(startMs + 116_000)).toBe(false);
  });
});
