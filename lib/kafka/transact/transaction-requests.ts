import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  type Connection,
  endTxnV3,
  initProducerIdV4,
  txnOffsetCommitV3,
} from '@platformatic/kafka';
import { errorNamesOf, isFencedName } from '../kafka-errors.ts';
import type { TopicPartition } from '../ports.ts';
import { FencedError } from './errors.ts';

/** What a transaction comes to. */
export type Outcome = 'committed' | 'aborted';

/** Who writes: a transactional id, and who has it now. */
export interface ProducerIdentity {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A member of a consumer group in one of its generations. */
export interface GroupMember {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
}

export interface ConsumedOffset extends TopicPartition {
  /** Offset of the next record to consume. */
  readonly offset: number;
}

/**
 * Tells the coordinator of transactions what one will write to. The requests go one behind the other on one connection, so that they are one
 * round trip and do not come between each other; `more` are sent behind them.
 */
export async function addToTransaction(
  connection: Connection,
  { transactionalId, producerId, producerEpoch }: ProducerIdentity,
  places: readonly TopicPartition[],
  groupId: string | undefined,
  ...more: readonly (() => Promise<unknown>)[]
): Promise<void> {
  const topics = byTopic(places, ({ partition }) => partition);
  const asked: Promise<unknown>[] = [];
  if (topics.length > 0) {
    const transaction = { transactionalId, producerId, producerEpoch, verifyOnly: false, topics };
    asked.push(addPartitionsToTxnV3.api.async(connection, [transaction]));
  }
  if (groupId !== undefined) {
    asked.push(addOffsetsToTxnV3.api.async(connection, transactionalId, producerId, producerEpoch, groupId));
  }
  await settled([...asked, ...more.map((send) => send())]);
}

/** Ends a transaction; a repeat is answered as the first was. */
export async function endTransaction(
  connection: Connection,
  { transactionalId, producerId, producerEpoch }: ProducerIdentity,
  outcome: Outcome,
): Promise<void> {
  await endTxnV3.api.async(connection, transactionalId, producerId, producerEpoch, outcome === 'committed');
}

/** Commits offsets in a transaction that the group was added to; `connection` leads to the coordinator of the group. */
export async function commitOffsets(
  connection: Connection,
  { transactionalId, producerId, producerEpoch }: ProducerIdentity,
  { groupId, memberId, generationId }: GroupMember,
  offsets: readonly ConsumedOffset[],
): Promise<void> {
  const topics = byTopic(offsets, ({ partition, offset }) => ({
    partitionIndex: partition,
    committedOffset: BigInt(offset),
    committedLeaderEpoch: -1,
    committedMetadata: null,
  }));
  const member = [generationId, memberId, null] as const;
  await txnOffsetCommitV3.api.async(connection, transactionalId, groupId, producerId, producerEpoch, ...member, topics);
}

/** Takes the id from whoever has it; with its own identity, takes a new epoch. */
export async function takeProducerId(
  connection: Connection,
  { transactionalId, producerId, producerEpoch }: ProducerIdentity,
  timeoutMs: number,
): Promise<ProducerIdentity> {
  const taken = await initProducerIdV4.api.async(connection, transactionalId, timeoutMs, producerId, producerEpoch);
  return { transactionalId, producerId: taken.producerId, producerEpoch: taken.producerEpoch };
}

/** The identity of somebody who has not got the id yet. */
export function anybody(transactionalId: string): ProducerIdentity {
  return { transactionalId, producerId: -1n, producerEpoch: -1 };
}

/** Whether somebody else has the transactional id. */
export function isFenced(error: unknown): boolean {
  return [...errorNamesOf(error)].some(isFencedName) || error instanceof FencedError;
}

/** As Promise.all, but nothing of it goes on when it rejects. */
export async function settled<const T extends readonly Promise<unknown>[]>(
  all: T,
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  const outcomes = await Promise.allSettled(all);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  // Being fenced says more than what follows from it.
  const worst = failed.find(({ reason }) => isFenced(reason)) ?? failed[0];
  if (worst !== undefined) throw worst.reason;
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined)) as never;
}

function byTopic<T extends TopicPartition, P>(
  all: readonly T[],
  partitionOf: (each: T) => P,
): { name: string; partitions: P[] }[] {
  return Array.from(
    Map.groupBy(all, ({ topic }) => topic),
    ([name, theirs]) => ({ name, partitions: theirs.map(partitionOf) }),
  );
}
