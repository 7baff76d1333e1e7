import kafkajs, { type PartitionAssigner } from 'kafkajs';
import { shareOut } from './copartition.ts';

const { AssignerProtocol } = kafkajs;

const version = 1;

/**
 * Gives partition p of every topic to the same member, which keeps what `partitionsNow` says that it has as far as that is even.
 * The topics of a group must have as many partitions each.
 */
export function copartitionAssigner(partitionsNow: () => readonly number[]): PartitionAssigner {
  return ({ cluster }) => ({
    name: 'imwatch-copartition',
    version,
    protocol: ({ topics }) => ({
      name: 'imwatch-copartition',
      metadata: AssignerProtocol.MemberMetadata.encode({
        version,
        topics,
        userData: Buffer.from(JSON.stringify(partitionsNow())),
      }),
    }),
    assign: async ({ members, topics }) => {
      const counts = topics.map((topic) => cluster.findTopicPartitionMetadata(topic).length);
      const before = members.map(({ memberId, memberMetadata }) => {
        return { memberId, partitions: partitionsIn(AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData) };
      });
      return Array.from(shareOut(Math.max(0, ...counts), before), ([memberId, partitions]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version,
          assignment: Object.fromEntries(topics.map((topic) => [topic, [...partitions]])),
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

/** What a member has said that it has; nothing when it is another version that says so otherwise. */
function partitionsIn(userData: Buffer | undefined): readonly number[] {
  if (userData === undefined || userData.length === 0) return [];
  try {
    const partitions: unknown = JSON.parse(userData.toString());
    return Array.isArray(partitions) ? partitions.filter((each) => Number.isSafeInteger(each)) : [];
  } catch {
    return [];
  }
}
