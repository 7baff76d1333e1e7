import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  type Connection,
  endTxnV3,
  initProducerIdV4,
  ResponseError,
  txnOffsetCommitV3,
} from '@platformatic/kafka';
import { type Clock, sleep } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { KafkaRequestError } from '../admin.ts';
import type { Cluster } from '../cluster.ts';
import type { CoordinatorKind, Coordinators } from '../coordinators.ts';
import { errorNamesOf, isCoordinatorElsewhere, isFencedName } from '../kafka-errors.ts';
import type { OutgoingRecord, TopicPartition } from '../ports.ts';
import { groupByPartition } from '../produce/partition-batch.ts';
import { lastSequence, ProducerSession } from '../produce/producer-session.ts';
import { isRefusal, RecordRefusedError } from '../record-refused.ts';
import { FencedError, NotMemberError, OutcomeUnknownError, TransactionAbortedError } from './errors.ts';
import { produceAll } from './produce-all.ts';

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

export interface Transaction {
  readonly records: readonly OutgoingRecord[];
  readonly offsets: readonly ConsumedOffset[];
  readonly member: GroupMember;
}

/** Offsets of the last record of each partition, by `<topic>/<partition>`, as far as the brokers have told. */
export type LastOffsets = ReadonlyMap<string, number>;

export interface TransactionalProducerOptions {
  readonly cluster: Cluster;
  readonly coordinators: Coordinators;
  readonly transactionalId: string;
  /** After this long without an end the broker aborts a transaction. */
  readonly transactionTimeoutMs?: number;
  readonly clock: Clock;
}

const defaultTransactionTimeoutMs = 10_000;
/** How long the outcome of a commit is asked for. */
const outcomeMs = 30_000;
const firstPauseMs = 5;
const longestPauseMs = 500;

const notMember = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'REBALANCE_IN_PROGRESS']);
/** The end of the transaction before is still being written. */
const concurrent = 'CONCURRENT_TRANSACTIONS';

/**
 * Commits records together with the offsets of the records that they come from, exactly once (KIP-98), fenced by the transactional id
 * and by member and generation of the group (KIP-447). For Kafka 2.7 and later. One transaction at a time.
 */
export class TransactionalProducer {
  readonly #options: TransactionalProducerOptions;
  readonly #timeoutMs: number;
  #producerId = -1n;
  #producerEpoch = -1;
  #session: ProducerSession | undefined;

  constructor(options: TransactionalProducerOptions) {
    this.#options = options;
    this.#timeoutMs = options.transactionTimeoutMs ?? defaultTransactionTimeoutMs;
  }

  /**
   * Takes the transactional id from whoever had it, whose open transaction is ended: one that is being committed is, any other is
   * aborted. Waits for coordinators until it has.
   *
   * @throws {KafkaRequestError} for what does not pass with time; and the reason of `signal`, once that is aborted.
   */
  async initialise(signal: AbortSignal): Promise<void> {
    try {
      await this.#takeId(signal, -1n, -1);
    } catch (error) {
      if (signal.aborted || !(error instanceof ResponseError)) throw error;
      throw new KafkaRequestError(`Kafka: ${messageOf(error)}`, { cause: error });
    }
  }

  /**
   * Gives up offsets of a group that a transaction of this id has left pending although it is over: a broker that was killed and is slow to
   * start may end a transaction without writing its marks. Another mark of the same producer id makes up for them.
   *
   * @throws {FencedError | OutcomeUnknownError}
   */
  async giveUpPending(groupId: string, signal: AbortSignal): Promise<void> {
    const untilMs = this.#options.clock.monotonicMs() + 0.8 * this.#timeoutMs;
    try {
      await this.#begin([], groupId, untilMs, signal);
    } catch (error) {
      await this.#abort(error, signal);
      throw outcomeOf(error);
    }
    await this.#abort(undefined, signal);
  }

  /**
   * One transaction. Resolves when it is committed.
   *
   * @throws {FencedError | NotMemberError | TransactionAbortedError | RecordRefusedError} nothing of it is visible, nor ever will be.
   * @throws {OutcomeUnknownError}
   */
  async commit({ records, offsets, member }: Transaction, signal: AbortSignal): Promise<LastOffsets> {
    if (records.length === 0 && offsets.length === 0) return new Map();
    const untilMs = this.#options.clock.monotonicMs() + 0.8 * this.#timeoutMs;
    let lastOffsets: LastOffsets;
    try {
      const groups = groupByPartition(records);
      await this.#begin(groups, offsets.length > 0 ? member.groupId : undefined, untilMs, signal);
      const session = this.#sessionFor(
        groups.map(({ name }) => name),
        records.length,
      );
      [lastOffsets] = await settled([
        produceAll({ ...this.#options, session, groups, untilMs, signal }),
        this.#commitOffsets(offsets, member, untilMs, signal),
      ]);
      // The last moment at which it can still be given up.
      signal.throwIfAborted();
    } catch (error) {
      await this.#abort(error, signal);
      throw outcomeOf(error);
    }
    await this.#end();
    return lastOffsets;
  }

  #sessionFor(partitions: readonly string[], records: number): ProducerSession {
    if (this.#session === undefined) throw new Error('A transactional producer has to be initialised first');
    if (this.#session.isSpent(partitions, records)) throw new SpentError('Its sequence numbers have run out');
    return this.#session;
  }

  /** Tells the coordinator what the transaction will write to. */
  async #begin(
    partitions: readonly TopicPartition[],
    groupId: string | undefined,
    untilMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { transactionalId } = this.#options;
    const [id, epoch] = [this.#producerId, this.#producerEpoch];
    await this.#ask(
      'transaction',
      transactionalId,
      untilMs,
      async (connection) => {
        // One behind the other on one connection, so that they are one round trip and do not come between each other.
        const topics = Array.from(
          Map.groupBy(partitions, ({ topic }) => topic),
          ([name, theirs]) => ({
            name,
            partitions: theirs.map(({ partition }) => partition),
          }),
        );
        const asked: Promise<unknown>[] = [];
        if (topics.length > 0) {
          const transaction = { transactionalId, producerId: id, producerEpoch: epoch, verifyOnly: false, topics };
          asked.push(addPartitionsToTxnV3.api.async(connection, [transaction]));
        }
        if (groupId !== undefined)
          asked.push(addOffsetsToTxnV3.api.async(connection, transactionalId, id, epoch, groupId));
        await settled(asked);
      },
      signal,
    );
  }

  async #commitOffsets(
    offsets: readonly ConsumedOffset[],
    member: GroupMember,
    untilMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (offsets.length === 0) return;
    const { transactionalId } = this.#options;
    const { groupId, memberId, generationId } = member;
    const topics = Array.from(
      Map.groupBy(offsets, ({ topic }) => topic),
      ([name, theirs]) => ({
        name,
        partitions: theirs.map(({ partition, offset }) => ({
          partitionIndex: partition,
          committedOffset: BigInt(offset),
          committedLeaderEpoch: -1,
          committedMetadata: null,
        })),
      }),
    );
    await this.#ask(
      'group',
      groupId,
      untilMs,
      (connection) =>
        txnOffsetCommitV3.api.async(
          connection,
          transactionalId,
          groupId,
          this.#producerId,
          this.#producerEpoch,
          generationId,
          memberId,
          null,
          topics,
        ),
      signal,
    );
  }

  /** Commits, and asks until the outcome is known: the coordinator answers a repeat as it has answered the first. */
  async #end(): Promise<void> {
    const { transactionalId, clock } = this.#options;
    try {
      await this.#ask('transaction', transactionalId, clock.monotonicMs() + outcomeMs, (connection) =>
        endTxnV3.api.async(connection, transactionalId, this.#producerId, this.#producerEpoch, true),
      );
    } catch (error) {
      throw new OutcomeUnknownError(`Kafka: whether a transaction is committed is not known: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /**
   * Ends a transaction that has failed, and takes a new epoch: the brokers may miss sequence numbers of the present one.
   *
   * @throws {FencedError | OutcomeUnknownError} when that cannot be done.
   */
  async #abort(cause: unknown, signal: AbortSignal): Promise<void> {
    if (isFenced(cause)) return;
    const { transactionalId, clock } = this.#options;
    const [id, epoch] = [this.#producerId, this.#producerEpoch];
    try {
      await this.#ask(
        'transaction',
        transactionalId,
        clock.monotonicMs() + this.#timeoutMs,
        (connection) => endTxnV3.api.async(connection, transactionalId, id, epoch, false).catch(ignoreNotBegun),
        signal,
      );
      signal.throwIfAborted();
      await this.#takeId(signal, id, epoch);
    } catch (error) {
      if (signal.aborted) return;
      if (isFenced(error)) throw new FencedError(messageOf(error), { cause: error });
      throw new OutcomeUnknownError(`Kafka: a transaction cannot be aborted: ${messageOf(error)}`, { cause: error });
    }
  }

  async #takeId(signal: AbortSignal, id: bigint, epoch: number): Promise<void> {
    const { transactionalId } = this.#options;
    const answer = await this.#ask(
      'transaction',
      transactionalId,
      Number.POSITIVE_INFINITY,
      (connection) => initProducerIdV4.api.async(connection, transactionalId, this.#timeoutMs, id, epoch),
      signal,
    );
    this.#producerId = answer.producerId;
    this.#producerEpoch = answer.producerEpoch;
    this.#session = new ProducerSession(answer.producerId, answer.producerEpoch, lastSequence, true);
  }

  /** Asks a coordinator, wherever it is by then, until it gives an answer that counts. */
  async #ask<T>(
    kind: CoordinatorKind,
    key: string,
    untilMs: number,
    request: (connection: Connection) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { coordinators, clock } = this.#options;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      signal?.throwIfAborted();
      try {
        return await request(await coordinators.connectionTo(kind, key));
      } catch (error) {
        if (error instanceof TypeError || isFinal(error) || clock.monotonicMs() + pauseMs > untilMs) throw error;
        if (isCoordinatorElsewhere(error)) coordinators.forget(kind, key);
      }
      await sleep(clock, pauseMs);
    }
  }
}

/** No more sequence numbers: a new epoch begins with 0 again. */
class SpentError extends Error {}

/** Whether asking again gives the same. */
function isFinal(error: unknown): boolean {
  const names = [...errorNamesOf(error)];
  return names.length > 0 && !names.includes(concurrent) && !isCoordinatorElsewhere(error) && !isPassing(names);
}

/** Answers that are given while brokers start, fail over, or learn of a topic. */
function isPassing(names: readonly string[]): boolean {
  return names.some((name) => ['REQUEST_TIMED_OUT', 'UNKNOWN_TOPIC_OR_PARTITION', 'NETWORK_EXCEPTION'].includes(name));
}

function isFenced(error: unknown): boolean {
  return [...errorNamesOf(error)].some(isFencedName) || error instanceof FencedError;
}

/** What a transaction that has been aborted because of `error` ends with. */
function outcomeOf(error: unknown): Error {
  const message = `Kafka: ${messageOf(error)}`;
  if (isFenced(error)) return new FencedError(message, { cause: error });
  const names = [...errorNamesOf(error)];
  if (names.some((name) => notMember.has(name))) return new NotMemberError(message, { cause: error });
  if (error instanceof RecordRefusedError) return error;
  if (names.some(isRefusal)) return new RecordRefusedError(message, { cause: error });
  return new TransactionAbortedError(message, { cause: error });
}

/** The transaction was never begun, or has been aborted already. */
function ignoreNotBegun(error: unknown): void {
  if (!errorNamesOf(error).has('INVALID_TXN_STATE')) throw error;
}

/** As Promise.all, but nothing of it goes on when it rejects. */
async function settled<const T extends readonly Promise<unknown>[]>(
  all: T,
): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  const outcomes = await Promise.allSettled(all);
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
  // Being fenced says more than what follows from it.
  const worst = failed.find(({ reason }) => isFenced(reason)) ?? failed[0];
  if (worst !== undefined) throw worst.reason;
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined)) as never;
}
