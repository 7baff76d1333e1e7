import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BloomFilter } from '../../../../../consumers/runtime/state/seen/bloom-filter.ts';
import { idBytes } from '../../../../../consumers/runtime/state/seen/event-id.ts';

const someIds = (count: number): readonly Buffer[] => Array.from({ length: count }, () => randomBytes(idBytes));

describe('a filter of ids', () => {
  const known = someIds(50_000);
  const filter = BloomFilter.for(known.length);
  for (const id of known) filter.add(id, 0);

  it('never takes a known id for a new one, also when its bytes have been kept', () => {
    const again = BloomFilter.of(filter.bytes);
    expect(known.filter((id) => !filter.mayHave(id) || !again.mayHave(id))).toEqual([]);
  });

  it('takes few new ids for known ones', () => {
    const wrong = someIds(100_000).filter((id) => filter.mayHave(id)).length;
    expect(wrong).toBeLessThan(500);
  });
});
