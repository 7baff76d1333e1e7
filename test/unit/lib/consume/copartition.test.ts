import fc from 'fast-check';
import type { Cluster, GroupMember, Logger } from 'kafkajs';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { type Claim, type Claimant, sharePartitions } from '../../../../lib/kafka/consume/copartition.ts';
import { copartitionAssigner } from '../../../../lib/kafka/consume/copartition-assigner.ts';

const { AssignerProtocol } = kafkajs;
const newcomer = (memberId: string): Claimant => ({ memberId, generationId: -1, partitions: [] });
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

const anyMembers = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((memberId) =>
        fc.record({
          memberId: fc.constant(memberId),
          generationId: fc.integer({ min: -1, max: 4 }),
          partitions: fc.uniqueArray(fc.integer({ min: 0, max: 40 })),
        }),
      ),
    ),
  );
const anyCount = fc.integer({ min: 0, max: 36 });

describe('partitions shared among members', () => {
  it('go to one member each, and members differ by one at most, whatever they claim', () => {
    fc.assert(
      fc.property(anyMembers, anyCount, (members, count) => {
        const shares = sharePartitions(members, count);
        expect([...shares.keys()].toSorted()).toEqual(members.map(({ memberId }) => memberId).toSorted());
        expect([...shares.values()].flat().toSorted((a, b) => a - b)).toEqual(range(count));
        const sizes = [...shares.values()].map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are the same in whatever order the members are listed', () => {
    fc.assert(
      fc.property(anyMembers, anyCount, (members, count) => {
        const there = sharePartitions(members, count);
        const back = sharePartitions(members.toReversed(), count);
        expect(Object.fromEntries(back)).toEqual(Object.fromEntries(there));
      }),
    );
  });

  it('stay where they are while the members stay', () => {
    fc.assert(
      fc.property(anyMembers, anyCount, (members, count) => {
        const before = sharePartitions(members, count);
        const same = members.map(({ memberId }) => ({
          memberId,
          generationId: 7,
          partitions: before.get(memberId) ?? [],
        }));
        expect(Object.fromEntries(sharePartitions(same, count))).toEqual(Object.fromEntries(before));
      }),
    );
  });

  it('move only as far as a member that comes needs', () => {
    fc.assert(
      fc.property(anyMembers, anyCount, (members, count) => {
        const before = sharePartitions(members, count);
        const present = members.map(({ memberId }) => ({
          memberId,
          generationId: 7,
          partitions: before.get(memberId) ?? [],
        }));
        const after = sharePartitions([...present, newcomer('a newcomer')], count);
        const moved = members.flatMap(({ memberId }) => {
          const still = after.get(memberId) ?? [];
          return (before.get(memberId) ?? []).filter((partition) => !still.includes(partition));
        });
        expect(moved.toSorted()).toEqual(after.get('a newcomer')?.toSorted());
      }),
    );
  });

  it('are dealt in turns to members that had none', () => {
    expect(Object.fromEntries(sharePartitions([newcomer('b'), newcomer('a')], 5))).toEqual({ a: [0, 2, 4], b: [1, 3] });
  });

  it('go to the one of two who had them last', () => {
    const frozen = { memberId: 'a', generationId: 3, partitions: [0, 1, 2, 3] };
    const present = { memberId: 'b', generationId: 4, partitions: [0, 1] };
    expect(Object.fromEntries(sharePartitions([frozen, present], 4))).toEqual({ a: [2, 3], b: [0, 1] });
  });
});

describe('the assigner', () => {
  const counts: Readonly<Record<string, number>> = { sent: 4, verdicts: 4, few: 2 };
  const topics = Object.keys(counts);
  const cluster = {
    findTopicPartitionMetadata: (topic: string) => range(counts[topic] ?? 0).map((partitionId) => ({ partitionId })),
  } as unknown as Cluster;
  const assigner = (claim: Claim) =>
    copartitionAssigner(() => claim)({ cluster, groupId: 'group', logger: {} as Logger });
  const member = (memberId: string, claim: Claim): GroupMember => ({
    memberId,
    memberMetadata: assigner(claim).protocol({ topics }).metadata,
  });
  const assign = async (members: GroupMember[]) => {
    const [leader] = [assigner({ generationId: -1, partitions: [] })];
    const assignments = await leader?.assign({ members, topics });
    return Object.fromEntries(
      assignments?.map(({ memberId, memberAssignment }) => [
        memberId,
        AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment,
      ]) ?? [],
    );
  };

  it('gives the same numbers of every topic to a member, those that are there', async () => {
    const none = { generationId: -1, partitions: [] };
    expect(await assign([member('a', none), member('b', none)])).toEqual({
      a: { sent: [0, 2], verdicts: [0, 2], few: [0] },
      b: { sent: [1, 3], verdicts: [1, 3], few: [1] },
    });
  });

  it('reads what the members had out of what they say when they join', async () => {
    const a = member('a', { generationId: 3, partitions: [2, 3] });
    const b = member('b', { generationId: 3, partitions: [0, 1] });
    expect(await assign([a, b])).toEqual({
      a: { sent: [2, 3], verdicts: [2, 3] },
      b: { sent: [0, 1], verdicts: [0, 1], few: [0, 1] },
    });
  });

  it('takes members that say nothing, or nothing that it understands, for new ones', async () => {
    const metadataOf = (userData: Buffer) => AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData });
    const members = [Buffer.alloc(0), Buffer.from('odd')].map((userData, index) => ({
      memberId: `member ${index}`,
      memberMetadata: metadataOf(userData),
    }));
    expect(await assign(members)).toEqual({
      'member 0': { sent: [0, 2], verdicts: [0, 2], few: [0] },
      'member 1': { sent: [1, 3], verdicts: [1, 3], few: [1] },
    });
  });
});
