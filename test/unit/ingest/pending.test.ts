import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pending } from '../../../ingest/publish/pending.ts';
import type { Publication } from '../../../ingest/publish/publication.ts';

/** What `Pending` sees of a publication. */
class Settling {
  isSettled = false;
}

describe('Pending', () => {
  it('has the unsettled ones in the order in which they came, whichever settle when', () => {
    const step = fc.oneof(fc.constant('add' as const), fc.nat(5_000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4_000, size: 'max' }), (steps) => {
        const pending = new Pending();
        let expected: Settling[] = [];
        for (const each of steps) {
          if (each === 'add') {
            const added = new Settling();
            expected.push(added);
            pending.add(added as unknown as Publication);
          } else {
            const settled = expected[each % (expected.length || 1)];
            if (settled !== undefined) settled.isSettled = true;
            expected = expected.filter((one) => one !== settled);
          }
          expect(pending.oldest).toBe(expected[0]);
        }
        expect(pending.takeAll()).toEqual(expected);
        expect(pending.oldest).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });
});
