import {
  FetchIsolationLevels,
  ListOffsetTimestamps,
  listOffsetsV5,
  offsetFetchV7,
  ResponseError,
} from '@platformatic/kafka';
import { AppError } from '../../errors.ts';
import { KafkaRequestError } from '../admin.ts';
import type { Cluster } from '../cluster.ts';
import type { Coordinators } from '../coordinators.ts';
import type { TopicPartition } from '../ports.ts';
import { untilAnswered } from '../until-answered.ts';

/** What one may read of a partition. */
export interface OffsetRange {
  /** Offset of the first record that is still there. */
  readonly begin: number;
  /** Offset behind the last record that no open transaction can undo (the last stable offset). */
  readonly stableEnd: number;
}

/** Offsets of a group are part of a transaction that does not end. */
export class OffsetsPendingError extends AppError {
  override readonly name = 'OffsetsPendingError';
  readonly code = 'KAFKA_OFFSETS_PENDING';
  /** Asking again does not help: the transaction has to be ended. */
  readonly retryable = false;
}

/** Longer than a transaction may be open. */
const longestPendingMs = 15_000;

/**
 * Where a group goes on in each of `partitions`; `undefined` where it has committed nothing.
 *
 * An offset that is part of an open transaction is waited for (require_stable, KIP-447), so that what a predecessor has left half done
 * is ended before anybody goes on. Brokers and coordinators that are away are waited for too.
 *
 * @throws the reason of `signal` once that is aborted; {OffsetsPendingError} when a transaction stays open for longer than `pendingMs`;
 *   {KafkaRequestError} for what does not pass.
 */
export async function committedOffsets(options: {
  readonly coordinators: Coordinators;
  readonly groupId: string;
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly signal: AbortSignal;
  readonly pendingMs?: number;
}): Promise<ReadonlyMap<number, number | undefined>> {
  const { coordinators, groupId, topic, partitions, signal, pendingMs = longestPendingMs } = options;
  let pendingSinceMs: number | undefined;
  const topics = [{ name: topic, partitionIndexes: [...partitions] }];
  const answer = await untilAnswered(signal, async () => {
    const connection = await coordinators.connectionTo('group', groupId);
    try {
      return await offsetFetchV7.api.async(connection, [{ groupId, topics }], true);
    } catch (error) {
      if (!isUnstable(error)) {
        coordinators.forget('group', groupId);
        throw error;
      }
      pendingSinceMs ??= performance.now();
      if (performance.now() - pendingSinceMs < pendingMs) throw error;
      throw new OffsetsPendingError(
        `Kafka: offsets of ${groupId} in ${topic} are part of a transaction that does not end`,
        {
          cause: error,
        },
      );
    }
  });
  const found = answer.topics.flatMap((each) => each.partitions);
  return new Map(
    partitions.map((partition) => {
      const committed = found.find(({ partitionIndex }) => partitionIndex === partition)?.committedOffset ?? -1n;
      return [partition, committed < 0n ? undefined : Number(committed)];
    }),
  );
}

/** Whether the coordinator knows of an open transaction that has offsets of the group, which says nothing against it. */
function isUnstable(error: unknown): boolean {
  return error instanceof ResponseError && error.findBy('apiId', 'UNSTABLE_OFFSET_COMMIT') !== null;
}

/**
 * Begin and stable end of each of `partitions`. Leaders that are away are waited for.
 *
 * @throws the reason of `signal` once that is aborted; {KafkaRequestError} for what does not pass.
 */
export async function offsetRanges(options: {
  readonly cluster: Cluster;
  readonly topic: string;
  readonly partitions: readonly number[];
  readonly signal: AbortSignal;
}): Promise<ReadonlyMap<number, OffsetRange>> {
  const { cluster, topic, partitions, signal } = options;
  return untilAnswered(signal, async () => {
    if (partitions.some((partition) => (cluster.leaderOf(topic, partition) ?? -1) < 0)) await cluster.refresh([topic]);
    try {
      const byLeader = Map.groupBy(partitions, (partition) => leaderOf(cluster, topic, partition));
      const found = await Promise.all(
        Array.from(byLeader, ([leader, theirs]) => rangesFrom(cluster, leader, topic, theirs)),
      );
      return new Map(found.flat());
    } catch (error) {
      await cluster.refresh([topic]);
      throw error;
    }
  });
}

function leaderOf(cluster: Cluster, topic: string, partition: number): number {
  const leader = cluster.leaderOf(topic, partition);
  if (leader !== undefined && leader >= 0) return leader;
  throw new KafkaRequestError(`Kafka: ${topic}/${partition}: the partition has no leader`);
}

async function rangesFrom(
  cluster: Cluster,
  leader: number,
  topic: string,
  partitions: readonly number[],
): Promise<readonly (readonly [partition: number, range: OffsetRange])[]> {
  const connection = await cluster.connectionTo(leader);
  // A partition may be named only once in a request.
  const ask = async (timestamp: bigint): Promise<ReadonlyMap<number, number>> => {
    const wanted = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }));
    const topics = [{ name: topic, partitions: wanted }];
    const answer = await listOffsetsV5.api.async(connection, -1, FetchIsolationLevels.READ_COMMITTED, topics);
    const found = answer.topics.flatMap((each) => each.partitions);
    return new Map(found.map(({ partitionIndex, offset }) => [partitionIndex, Number(offset)]));
  };
  const [begins, ends] = await Promise.all([ask(ListOffsetTimestamps.EARLIEST), ask(ListOffsetTimestamps.LATEST)]);
  return partitions.map((partition) => {
    const begin = begins.get(partition);
    const stableEnd = ends.get(partition);
    if (begin === undefined || stableEnd === undefined) {
      throw new KafkaRequestError(`Kafka: ${topic}/${partition}: the broker has not answered for it`);
    }
    return [partition, { begin, stableEnd }];
  });
}

/**
 * Offset of the first record of a partition with a time of `sinceMs` or later; `undefined` when there is none. A leader that is away is
 * waited for.
 *
 * @throws the reason of `signal` once that is aborted; {KafkaRequestError} for what does not pass.
 */
export async function offsetSince(options: {
  readonly cluster: Cluster;
  readonly topic: string;
  readonly partition: number;
  readonly sinceMs: number;
  readonly signal: AbortSignal;
}): Promise<number | undefined> {
  const { cluster, topic, partition, sinceMs, signal } = options;
  const timestamp = BigInt(Math.max(0, Math.floor(sinceMs)));
  return untilAnswered(signal, async () => {
    if ((cluster.leaderOf(topic, partition) ?? -1) < 0) await cluster.refresh([topic]);
    const connection = await cluster.connectionTo(leaderOf(cluster, topic, partition));
    const topics = [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }] }];
    try {
      const answer = await listOffsetsV5.api.async(connection, -1, FetchIsolationLevels.READ_COMMITTED, topics);
      const offset = answer.topics[0]?.partitions[0]?.offset ?? -1n;
      return offset < 0n ? undefined : Number(offset);
    } catch (error) {
      await cluster.refresh([topic]);
      throw error;
    }
  });
}

/** As `offsetRanges`, for one partition. */
export async function offsetRange(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
  signal: AbortSignal,
): Promise<OffsetRange> {
  const ranges = await offsetRanges({ cluster, topic, partitions: [partition], signal });
  return ranges.get(partition) ?? { begin: 0, stableEnd: 0 };
}
