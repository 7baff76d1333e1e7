import kafkajs, { type Assignment, type PartitionAssigner } from 'kafkajs';
import { type Claim, type Claimant, sharePartitions } from './copartition.ts';

// Node finds only some of kafkajs's exports by name.
const { AssignerProtocol } = kafkajs;

const name = 'imwatch-copartition';
/** Of the subscription and the assignment as kafkajs writes them; Java tools read it as well. */
const version = 0;

/**
 * Gives partition p of every topic to the same member, so that who reads a key on one topic reads it on all of them; members keep
 * what they had as far as that leaves them equally many.
 *
 * @param claim what this member had before; it tells the others whenever it joins.
 */
export function copartitionAssigner(claim: () => Claim): PartitionAssigner {
  return ({ cluster }) => ({
    name,
    version,
    protocol: ({ topics }) => {
      const userData = writeClaim(claim());
      return { name, metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData }) };
    },
    assign: ({ members, topics }) => {
      const counts = topics.map((topic) => [topic, cluster.findTopicPartitionMetadata(topic).length] as const);
      const claimants = members.map(({ memberId, memberMetadata }) => claimantOf(memberId, memberMetadata));
      const shares = sharePartitions(claimants, Math.max(0, ...counts.map(([, count]) => count)));
      const assignments = Array.from(shares, ([memberId, numbers]) => {
        const assignment: Assignment = {};
        for (const [topic, count] of counts) {
          // A topic with fewer partitions than another has none of the last numbers.
          const present = numbers.filter((number) => number < count);
          if (present.length > 0) assignment[topic] = present;
        }
        const userData = Buffer.alloc(0);
        const memberAssignment = AssignerProtocol.MemberAssignment.encode({ version, assignment, userData });
        return { memberId, memberAssignment };
      });
      return Promise.resolve(assignments);
    },
  });
}

function writeClaim({ generationId, partitions }: Claim): Buffer {
  const bytes = Buffer.alloc(4 * (1 + partitions.length));
  bytes.writeInt32BE(generationId);
  for (const [index, partition] of partitions.entries()) bytes.writeInt32BE(partition, 4 * (1 + index));
  return bytes;
}

function claimantOf(memberId: string, memberMetadata: Buffer): Claimant {
  const userData = AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData ?? Buffer.alloc(0);
  if (userData.length < 4 || userData.length % 4 !== 0) return { memberId, generationId: -1, partitions: [] };
  const partitions: number[] = [];
  for (let at = 4; at < userData.length; at += 4) partitions.push(userData.readInt32BE(at));
  return { memberId, generationId: userData.readInt32BE(0), partitions };
}
