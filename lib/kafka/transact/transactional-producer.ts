import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  initProducerIdV4,
  ResponseError,
  txnOffsetCommitV3,
} from '@platformatic/kafka';
import { type Clock, sleep } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { KafkaRequestError } from '../admin.ts';
import type { Cluster } from '../cluster.ts';
import type { Coordinators } from '../coordinators.ts';
import { errorNamesOf, isFencedName } from '../kafka-errors.ts';
import type { OutgoingRecord, TopicPartition } from '../ports.ts';
import { groupByPartition } from '../produce/partition-batch.ts';
import { lastSequence, ProducerSession } from '../produce/producer-session.ts';
import { isRefusal, RecordRefusedError } from '../record-refused.ts';
import { CoordinatorRequests } from './coordinator-requests.ts';
import {
  FencedError,
  NotMemberError,
  OutcomeUnknownError,
  TransactionAbortedError,
  UnmarkedTransactionError,
} from './errors.ts';
import { produceAll } from './produce-all.ts';
import { type LastTransaction, lastTransactionOf, type Outcome, openPlacesOf } from './unmarked.ts';

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
  /** Every partition that its transactions may write to, and those of its predecessors. */
  readonly places: readonly TopicPartition[];
  /** Told of marks that a broker has forgotten, before they are made up for. */
  readonly onForgottenMarks?: (places: readonly TopicPartition[], outcome: Outcome) => void;
  /** After this long without an end the broker aborts a transaction. */
  readonly transactionTimeoutMs?: number;
  readonly clock: Clock;
}

const defaultTransactionTimeoutMs = 10_000;
/** How long the outcome of a commit is asked for. */
const outcomeMs = 30_000;
const markPauseMs = 20;

const notMember = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'REBALANCE_IN_PROGRESS']);

/**
 * Commits records together with the offsets of the records that they come from, exactly once (KIP-98), fenced by the transactional id
 * and by member and generation of the group (KIP-447). For Kafka 3.0 and later. One transaction at a time.
 *
 * A coordinator answers that a transaction is over before all of its marks are written. A broker that restarts within that may forget
 * some of them (it takes partitions that it has not yet heard of for removed ones): there the transaction stays open, and the mark of
 * the next one would decide about it too. So nothing is begun before the marks are made up for, as the coordinator had decided.
 */
export class TransactionalProducer {
  readonly #options: TransactionalProducerOptions;
  readonly #timeoutMs: number;
  readonly #requests: CoordinatorRequests;
  /** What the last transaction of the id has come to, as far as is known. */
  #last: Outcome | undefined;
  #producerId = -1n;
  #producerEpoch = -1;
  #session: ProducerSession | undefined;

  constructor(options: TransactionalProducerOptions) {
    this.#options = options;
    this.#timeoutMs = options.transactionTimeoutMs ?? defaultTransactionTimeoutMs;
    this.#requests = new CoordinatorRequests(options.coordinators, options.clock);
  }

  /**
   * Takes the transactional id from whoever had it, whose open transaction is ended: one that is being committed is, any other is
   * aborted. Waits for coordinators and leaders until it has.
   *
   * @throws {UnmarkedTransactionError}; {KafkaRequestError} for what does not pass with time; and the reason of `signal`, once that is
   *   aborted.
   */
  async initialise(signal: AbortSignal): Promise<void> {
    try {
      // Taking the id makes the coordinator forget it.
      this.#last = (await this.#lastTransaction(signal)).outcome;
      await this.#takeId(signal, -1n, -1);
      await this.#makeUpForMarks(signal);
      this.#requests.takeInterruption();
    } catch (error) {
      if (signal.aborted || !(error instanceof ResponseError)) throw error;
      throw new KafkaRequestError(`Kafka: ${messageOf(error)}`, { cause: error });
    }
  }

  /**
   * Ends offsets of a group that a predecessor's transaction has left pending although it is over, as it has ended: a broker has forgotten
   * its mark. Where nobody knows how it has ended they are given up, so that what led to them is handled again.
   *
   * @throws {FencedError | OutcomeUnknownError}
   */
  async endPending(groupId: string, signal: AbortSignal): Promise<void> {
    await this.#mark([], groupId, this.#last ?? 'aborted', signal);
  }

  /**
   * One transaction. Resolves when it is committed.
   *
   * @throws {FencedError | NotMemberError | TransactionAbortedError | RecordRefusedError} nothing of it is visible, nor ever will be.
   * @throws {OutcomeUnknownError}
   */
  async commit({ records, offsets, member }: Transaction, signal: AbortSignal): Promise<LastOffsets> {
    if (records.length === 0 && offsets.length === 0) return new Map();
    const groups = groupByPartition(records);
    const untilMs = this.#options.clock.monotonicMs() + 0.8 * this.#timeoutMs;
    try {
      await this.#beginAfterLast(groups, offsets.length > 0 ? member.groupId : undefined, untilMs, signal);
    } catch (error) {
      // It has nothing yet, so its end may say of the last one what that has come to.
      await this.#giveUp(error, this.#last ?? 'aborted', signal);
      throw outcomeOf(error);
    }
    let lastOffsets: LastOffsets;
    try {
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
      await this.#giveUp(error, 'aborted', signal);
      throw outcomeOf(error);
    }
    await this.#end('committed');
    return lastOffsets;
  }

  /** Begins a transaction when all marks of the last one are written. */
  async #beginAfterLast(
    places: readonly TopicPartition[],
    groupId: string | undefined,
    untilMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      if (this.#requests.wasInterrupted) await this.#makeUpForMarksOfLast(signal);
      await this.#begin(places, groupId, untilMs, signal);
      if (!this.#requests.wasInterrupted) return;
      await this.#end(this.#last ?? 'aborted');
    }
  }

  /** After the coordinator was away. */
  async #makeUpForMarksOfLast(signal: AbortSignal): Promise<void> {
    this.#requests.takeInterruption();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    try {
      await this.#untilEnded(limit);
      await this.#makeUpForMarks(limit);
    } catch (error) {
      this.#requests.interrupted();
      throw error;
    }
  }

  /** Writes the marks that are missing of the last transaction, which is over. */
  async #makeUpForMarks(signal: AbortSignal): Promise<void> {
    const { cluster, places, transactionalId } = this.#options;
    const where = { cluster, places, producerId: this.#producerId, signal };
    for (;;) {
      const open = await openPlacesOf(where);
      if (open.length === 0) return;
      if (this.#last === undefined) {
        const names = open.map(({ topic, partition }) => `${topic}/${partition}`).join(', ');
        throw new UnmarkedTransactionError(
          `Kafka: a transaction of ${transactionalId} has no end in ${names}, and its coordinator does not know how it ended`,
        );
      }
      this.#options.onForgottenMarks?.(open, this.#last);
      await this.#mark(open, undefined, this.#last, signal);
    }
  }

  /** A transaction without records, whose marks make up for those that are missing. */
  async #mark(
    places: readonly TopicPartition[],
    groupId: string | undefined,
    outcome: Outcome,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      await this.#begin(places, groupId, this.#options.clock.monotonicMs() + this.#timeoutMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isFenced(error)) throw new FencedError(messageOf(error), { cause: error });
      throw new OutcomeUnknownError(`Kafka: marks cannot be made up for: ${messageOf(error)}`, { cause: error });
    }
    await this.#end(outcome);
    await this.#untilEnded(signal);
  }

  /** Resolves when the coordinator takes all marks of the last transaction for written. */
  async #untilEnded(signal: AbortSignal): Promise<void> {
    while ((await this.#lastTransaction(signal)).isEnding) await sleep(this.#options.clock, markPauseMs);
  }

  #lastTransaction(signal: AbortSignal): Promise<LastTransaction> {
    const { transactionalId } = this.#options;
    return this.#requests.ask({
      kind: 'transaction',
      key: transactionalId,
      untilMs: Number.POSITIVE_INFINITY,
      signal,
      send: (connection) => lastTransactionOf(connection, transactionalId),
    });
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
    await this.#requests.ask({
      kind: 'transaction',
      key: transactionalId,
      untilMs,
      signal,
      send: async (connection) => {
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
    });
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
    await this.#requests.ask({
      kind: 'group',
      key: groupId,
      untilMs,
      signal,
      send: (connection) =>
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
    });
  }

  /** Ends the transaction, and asks until that is known: the coordinator answers a repeat as it has answered the first. */
  async #end(outcome: Outcome): Promise<void> {
    const { transactionalId, clock } = this.#options;
    try {
      await this.#requests.ask({
        kind: 'transaction',
        key: transactionalId,
        untilMs: clock.monotonicMs() + outcomeMs,
        send: (connection) =>
          endTxnV3.api.async(
            connection,
            transactionalId,
            this.#producerId,
            this.#producerEpoch,
            outcome === 'committed',
          ),
      });
    } catch (error) {
      throw new OutcomeUnknownError(`Kafka: whether a transaction is ${outcome} is not known: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#last = outcome;
  }

  /**
   * Ends a transaction that has failed, and takes a new epoch: the brokers may miss sequence numbers of the present one.
   *
   * @throws {FencedError | OutcomeUnknownError} when that cannot be done.
   */
  async #giveUp(cause: unknown, outcome: Outcome, signal: AbortSignal): Promise<void> {
    if (isFenced(cause)) return;
    const { transactionalId, clock } = this.#options;
    const [id, epoch] = [this.#producerId, this.#producerEpoch];
    const isCommit = outcome === 'committed';
    try {
      await this.#requests.ask({
        kind: 'transaction',
        key: transactionalId,
        untilMs: clock.monotonicMs() + this.#timeoutMs,
        signal,
        send: (connection) =>
          endTxnV3.api.async(connection, transactionalId, id, epoch, isCommit).catch(ignoreNotBegun),
      });
      this.#last = outcome;
      // Taking the epoch makes the coordinator forget how it has ended.
      if (this.#requests.wasInterrupted) await this.#makeUpForMarksOfLast(signal);
      signal.throwIfAborted();
      await this.#takeId(signal, id, epoch);
    } catch (error) {
      if (signal.aborted) return;
      if (isFenced(error)) throw new FencedError(messageOf(error), { cause: error });
      throw new OutcomeUnknownError(`Kafka: a transaction cannot be given up: ${messageOf(error)}`, { cause: error });
    }
  }

  async #takeId(signal: AbortSignal, id: bigint, epoch: number): Promise<void> {
    const { transactionalId } = this.#options;
    const answer = await this.#requests.ask({
      kind: 'transaction',
      key: transactionalId,
      untilMs: Number.POSITIVE_INFINITY,
      signal,
      send: (connection) => initProducerIdV4.api.async(connection, transactionalId, this.#timeoutMs, id, epoch),
    });
    this.#producerId = answer.producerId;
    this.#producerEpoch = answer.producerEpoch;
    this.#session = new ProducerSession(answer.producerId, answer.producerEpoch, lastSequence, true);
  }
}

/** No more sequence numbers: a new epoch begins with 0 again. */
class SpentError extends Error {}

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
