import { listOffsetsV5, offsetFetchV8 } from '@platformatic/kafka';
import { type Clock, sleep } from '../../clock.ts';
import type { Cluster } from '../cluster.ts';
import type { Coordinators } from '../coordinators.ts';
import { isCoordinatorElsewhere } from '../kafka-errors.ts';
import type { TopicPartition } from '../ports.ts';

const pauseMs = 100;
const readCommitted = 1;
const earliest = -2n;
const latest = -1n;

/** What there is to read of a partition. */
export interface OffsetRange {
  readonly begin: number;
  /** Offset behind the last record of which it is known that it counts. */
  readonly stableEnd: number;
}

/**
 * The offset that a group has committed for a partition, `undefined` when there is none. One that a transaction is about to change
 * is waited for (KIP-447).
 *
 * @throws the reason of `signal`, once that is aborted.
 */
export async function committedOffset(
  coordinators: Coordinators,
  groupId: string,
  { topic, partition }: TopicPartition,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | undefined> {
  const group = { groupId, memberEpoch: -1, topics: [{ name: topic, partitionIndexes: [partition] }] };
  return untilAnswered(clock, signal, async () => {
    try {
      const connection = await coordinators.connectionTo('group', groupId);
      const { groups } = await offsetFetchV8.api.async(connection, [group], true);
      const offset = groups[0]?.topics[0]?.partitions[0]?.committedOffset ?? -1n;
      return offset < 0n ? undefined : Number(offset);
    } catch (error) {
      if (isCoordinatorElsewhere(error)) coordinators.forget('group', groupId);
      throw error;
    }
  });
}

/** Begin and stable end of a partition; a broker away is waited for. @throws the reason of `signal`, once that is aborted. */
export async function offsetRange(
  cluster: Cluster,
  partition: TopicPartition,
  clock: Clock,
  signal: AbortSignal,
): Promise<OffsetRange> {
  const begin = (await offsetAt(cluster, partition, earliest, clock, signal)) ?? 0;
  return { begin, stableEnd: (await offsetAt(cluster, partition, latest, clock, signal)) ?? begin };
}

/** Offset of the first record of `sinceMs` or later; `undefined` when there is none. Waits as `offsetRange` does. */
export function offsetSince(
  cluster: Cluster,
  partition: TopicPartition,
  sinceMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | undefined> {
  return offsetAt(cluster, partition, BigInt(Math.max(0, Math.floor(sinceMs))), clock, signal);
}

function offsetAt(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
  timestamp: bigint,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | undefined> {
  return untilAnswered(clock, signal, async (attempt) => {
    if (attempt > 0 || cluster.leaderOf(topic, partition) === undefined) await cluster.refresh([topic]);
    const connection = await cluster.connectionTo(cluster.leaderOf(topic, partition) ?? -1);
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }];
    const { topics } = await listOffsetsV5.api.async(connection, -1, readCommitted, [{ name: topic, partitions }]);
    const offset = topics[0]?.partitions[0]?.offset ?? -1n;
    return offset < 0n ? undefined : Number(offset);
  });
}

/** Asks until there is an answer: whatever fails here is a broker that is away, starting, or not the right one any more. */
async function untilAnswered<T>(clock: Clock, signal: AbortSignal, ask: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await ask(attempt);
    } catch (error) {
      if (error instanceof TypeError) throw error;
      await sleep(clock, pauseMs);
    }
  }
}
