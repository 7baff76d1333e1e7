import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { IdFilter } from '../../../../consumers/runtime/state/id-filter.ts';
import { digitsOf, type IdParts, partsOf } from '../../../../consumers/runtime/state/id-parts.ts';

function someIds(count: number): readonly IdParts[] {
  return Array.from({ length: count }, () => partsOf(digitsOf(randomBytes(16).toString('hex'))));
}

describe('a filter of ids', () => {
  const known = someIds(300_000);
  const filter = new IdFilter();
  known.forEach(({ high, low }, index) => void filter.add(high, low, index));

  it('never takes a known id for a new one', () => {
    expect(known.filter(({ high, low }) => !filter.mayHave(high, low))).toEqual([]);
  });

  it('takes few new ids for known ones', () => {
    const wrong = someIds(100_000).filter(({ high, low }) => filter.mayHave(high, low)).length;
    expect(wrong).toBeGreaterThan(0);
    expect(wrong).toBeLessThan(5_000);
  });

  it('forgets what is too old, and nothing else', () => {
    filter.forgetBefore(150_000);
    const found = known.map(({ high, low }) => filter.mayHave(high, low));
    expect(found.slice(150_000)).not.toContain(false);
    expect(found.slice(0, 60_000).filter(Boolean).length).toBeLessThan(3_000);
    filter.forgetBefore(300_000);
    expect(known.filter(({ high, low }) => filter.mayHave(high, low))).toEqual([]);
  });
});
