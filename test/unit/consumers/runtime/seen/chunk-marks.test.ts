import { describe, expect, it } from 'vitest';
import { ChunkMarks } from '../../../../../consumers/runtime/state/seen/chunk-marks.ts';

const stepMs = 10;

/** Chunks 0 to 99, a millisecond apart from 1,000 on. */
function aHundred(): ChunkMarks {
  const marks = new ChunkMarks(stepMs);
  for (let number = 0; number < 100; number += 1) marks.add(number, 1_000 + number);
  return marks;
}

describe('marks of chunks', () => {
  it('are few, however many chunks there are', () => {
    expect(aHundred().kept.marks.length).toBeLessThanOrEqual(100 / stepMs);
  });

  it('name no chunk as overdue that can still be asked for, and each a step later at the latest', () => {
    const marks = aHundred();
    expect(marks.overdue(1_000)).toEqual([]);
    for (const limitMs of [1_015, 1_050, 1_099, 1_200]) {
      const overdue = marks.overdue(limitMs);
      expect(overdue).toEqual(overdue.map((_, index) => index));
      expect(overdue.length).toBeLessThanOrEqual(Math.min(100, limitMs - 1_000));
      expect(overdue.length).toBeGreaterThanOrEqual(Math.min(100, limitMs - 1_000 - stepMs - 1));
    }
  });

  it('go on behind what was forgotten', () => {
    const marks = aHundred();
    const first = marks.overdue(1_050);
    marks.forget(first);
    expect(marks.overdue(1_050)).toEqual([]);
    expect(marks.overdue(2_000)[0]).toBe(first.length);
  });

  it('know the next number and how late the partition is when all chunks are forgotten', () => {
    const marks = aHundred();
    marks.forget(marks.overdue(2_000));
    const again = new ChunkMarks(stepMs, JSON.parse(JSON.stringify(marks.kept)));
    expect([again.next, again.latestMs, again.overdue(2_000)]).toEqual([100, 1_099, []]);
  });

  it('begin with the first chunk that is read back, whatever its number', () => {
    const marks = new ChunkMarks(stepMs);
    for (let number = 5_000_000; number < 5_000_003; number += 1) marks.add(number, 1_000);
    expect(marks.overdue(2_000)).toEqual([5_000_000, 5_000_001, 5_000_002]);
  });

  it('name a thousand at a time at most', () => {
    const marks = new ChunkMarks(stepMs);
    for (let number = 0; number < 2_500; number += 1) marks.add(number, 1);
    const rounds: number[] = [];
    for (let overdue = marks.overdue(2); overdue.length > 0; overdue = marks.overdue(2)) {
      rounds.push(overdue.length);
      marks.forget(overdue);
    }
    expect(rounds).toEqual([1_000, 1_000, 500]);
  });
});
