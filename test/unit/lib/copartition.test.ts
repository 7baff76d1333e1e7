import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MemberBefore, shareOut } from '../../../lib/kafka/consume/copartition.ts';

const someMembers = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 8 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((memberId) =>
        fc.record({ memberId: fc.constant(memberId), partitions: fc.array(fc.nat({ max: 40 })) }),
      ),
    ),
  );

function shares(count: number, members: readonly MemberBefore[]) {
  return Object.fromEntries(shareOut(count, members));
}

describe('shareOut', () => {
  it('gives each partition to one member, as evenly as can be, whatever they had before', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 }), someMembers, (count, members) => {
        const given = [...shareOut(count, members).values()];
        expect(given.flat().toSorted((one, other) => one - other)).toEqual(
          Array.from({ length: count }, (_, index) => index),
        );
        const sizes = given.map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('moves nothing when nobody comes or goes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 }), someMembers, (count, members) => {
        const first = shareOut(count, members);
        const again = shareOut(
          count,
          Array.from(first, ([memberId, partitions]) => ({ memberId, partitions })),
        );
        expect(again).toEqual(first);
      }),
    );
  });

  it('takes from those that have too much when somebody comes, and no more', () => {
    const before = [
      { memberId: 'a', partitions: [0, 1, 2, 3, 4, 5] },
      { memberId: 'b', partitions: [6, 7, 8, 9, 10, 11] },
      { memberId: 'c', partitions: [] },
    ];
    expect(shares(12, before)).toEqual({ a: [0, 1, 2, 3], b: [6, 7, 8, 9], c: [4, 5, 10, 11] });
  });

  it('shares what somebody leaves among the others, who keep theirs', () => {
    const left = [
      { memberId: 'a', partitions: [0, 1, 2, 3] },
      { memberId: 'c', partitions: [4, 5, 10, 11] },
    ];
    expect(shares(12, left)).toEqual({ a: [0, 1, 2, 3, 6, 8], c: [4, 5, 7, 9, 10, 11] });
  });

  it('gives what two say that they have to one of them', () => {
    const both = [
      { memberId: 'a', partitions: [0, 1] },
      { memberId: 'b', partitions: [0, 1] },
    ];
    expect(shares(2, both)).toEqual({ a: [0], b: [1] });
  });
});
