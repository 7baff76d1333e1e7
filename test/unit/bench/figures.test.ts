import { describe, expect, it } from 'vitest';
import { checkOf } from '../../../bench/ingest/contest.ts';
import { ratios, rotated, spreadOf } from '../../../bench/ingest/figures.ts';
import { withBlock } from '../../../bench/ingest/page.ts';
import { shown } from '../../../bench/ingest/report.ts';

describe('the figures of the benchmark', () => {
  it('have a median: the middle of an odd number, between the two middle ones of an even number', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
    expect(spreadOf([4, 1, 2, 10])).toEqual({ median: 3, min: 1, max: 10 });
  });

  it('are related round by round, so that what disturbs a round disturbs both sides of its ratio', () => {
    expect(ratios([2, 40], [1, 20])).toEqual([2, 2]);
  });

  it('have no ratio to a round that is missing or empty', () => {
    expect(ratios([2, 3, 4], [1, 0])).toEqual([2]);
  });

  it('are shown with their spread, and as a dash where there are none', () => {
    expect(shown([1, 2.25, 4], 1, ' %')).toBe('2.3 % (1.0–4.0)');
    expect(shown([], 1)).toBe('–');
  });

  it('come from rounds that begin with another candidate each', () => {
    expect([0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
  });
});

describe('the records on a topic', () => {
  it('are right when there is one for each answer and none beside those that were cut off', () => {
    expect(checkOf(100, 100, 0).isRight).toBe(true);
    expect(checkOf(100, 164, 64).isRight).toBe(true);
  });

  it('are wrong when an answer has none', () => {
    expect(checkOf(100, 99, 64).isRight).toBe(false);
  });

  it('are wrong when there are more than can have been cut off', () => {
    expect(checkOf(100, 165, 64).isRight).toBe(false);
  });
});

describe('the block of docs/benchmarks.md', () => {
  const page = 'before\n<!-- bench-ingest:begin (how) -->\nold\n<!-- bench-ingest:end -->\nafter\n';

  it('replaces what stands between its comments, and nothing else', () => {
    expect(withBlock(page, 'new $1')).toBe(
      'before\n<!-- bench-ingest:begin (how) -->\nnew $1\n<!-- bench-ingest:end -->\nafter\n',
    );
  });

  it('has no place in a page without them', () => {
    expect(() => withBlock('a page', 'new')).toThrow('no comments bench-ingest:begin');
  });
});
