import { GenericError } from '@platformatic/kafka';
import type { Clock } from '../../clock.ts';
import { AppError, messageOf } from '../../errors.ts';
import { KafkaRequestError } from '../admin.ts';
import type { Cluster } from '../cluster.ts';
import type { Coordinators } from '../coordinators.ts';
import { errorNamesOf } from '../kafka-errors.ts';
import type { OutgoingRecord, TopicPartition } from '../ports.ts';
import { groupByPartition } from '../produce/partition-batch.ts';
import { lastSequence, ProducerSession } from '../produce/producer-session.ts';
import { isRefusal, RecordRefusedError } from '../record-refused.ts';
import { CoordinatorRequests, InterruptedError, isPassing } from './coordinator-requests.ts';
import {
  FencedError,
  NotMemberError,
  OutcomeUnknownError,
  TransactionAbortedError,
  UnmarkedTransactionError,
} from './errors.ts';
import { produceAll } from './produce-all.ts';
import { type Attempt, Settlement, type SettlementOptions } from './settlement.ts';
import {
  addToTransaction,
  anybody,
  type ConsumedOffset,
  commitOffsets,
  endTransaction,
  type GroupMember,
  isFenced,
  type ProducerIdentity,
  settled,
  takeProducerId,
} from './transaction-requests.ts';

export interface Transaction {
  readonly records: readonly OutgoingRecord[];
  readonly offsets: readonly ConsumedOffset[];
  readonly member: GroupMember;
}

/** Offsets of the last record of each partition, by `<topic>/<partition>`, as far as the brokers have told. */
export type LastOffsets = ReadonlyMap<string, number>;

export interface TransactionalProducerOptions extends Omit<SettlementOptions, 'requests'> {
  readonly cluster: Cluster;
  readonly coordinators: Coordinators;
  /** After this long without an end the broker aborts a transaction. */
  readonly transactionTimeoutMs?: number;
  readonly clock: Clock;
}

const defaultTransactionTimeoutMs = 10_000;
/** How long the outcome of a commit is asked for. */
const outcomeMs = 30_000;

const notMember = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID', 'REBALANCE_IN_PROGRESS']);

/**
 * Commits records together with the offsets of the records that they come from, exactly once (KIP-98), fenced by the transactional id
 * and by member and generation of the group (KIP-447). For Kafka 3.0 and later. One transaction at a time.
 *
 * None is begun before the last one is open nowhere any more, also when a broker has forgotten its marks.
 */
export class TransactionalProducer {
  readonly #options: TransactionalProducerOptions;
  readonly #timeoutMs: number;
  readonly #requests: CoordinatorRequests;
  readonly #settlement: Settlement;
  #identity: ProducerIdentity;
  /** In which the last transaction is open nowhere any more. */
  #settledEra = -1;
  #session: ProducerSession | undefined;

  constructor(options: TransactionalProducerOptions) {
    this.#options = options;
    this.#timeoutMs = options.transactionTimeoutMs ?? defaultTransactionTimeoutMs;
    this.#requests = new CoordinatorRequests(options.coordinators, options.clock);
    this.#settlement = new Settlement({ ...options, requests: this.#requests });
    this.#identity = anybody(options.transactionalId);
  }

  /**
   * Takes the transactional id from whoever had it, whose open transaction is ended: one that is being committed is, any other is
   * aborted. Waits some seconds for coordinators and leaders that are away.
   *
   * @throws {UnmarkedTransactionError} {FencedError} {KafkaRequestError}; and the reason of `signal`, once that is aborted.
   */
  async initialise(signal: AbortSignal): Promise<void> {
    await this.#asAppErrors(signal, async () => {
      const attempt = this.#attempt(signal);
      this.#identity = await this.#settlement.takeOver((era) => this.#tryToTakeId(era, signal), attempt);
      this.#settledEra = await this.#settlement.settle(this.#identity, attempt);
      this.#beginSession();
    });
  }

  /**
   * Ends offsets of a group that a predecessor's transaction has left pending although it is over. Where nobody knows how it has ended they
   * are given up, so that what led to them is handled again.
   *
   * @throws {UnmarkedTransactionError} {FencedError} {KafkaRequestError}; and the reason of `signal`, once that is aborted.
   */
  async endPending(groupId: string, signal: AbortSignal): Promise<void> {
    await this.#asAppErrors(signal, () => this.#settlement.endPending(this.#identity, groupId, this.#attempt(signal)));
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
    const groupId = offsets.length > 0 ? member.groupId : undefined;
    const attempt = { untilMs: this.#options.clock.monotonicMs() + 0.8 * this.#timeoutMs, signal };
    let lastOffsets: LastOffsets;
    let mayBeOpen = false;
    try {
      for (let isOpen = false; !isOpen; ) {
        const era = await this.#settled(attempt);
        mayBeOpen = true;
        isOpen = await this.#tryToBegin(groups, groupId, era, attempt);
      }
      const session = this.#sessionFor(
        groups.map(({ name }) => name),
        records.length,
      );
      [lastOffsets] = await settled([
        produceAll({ ...this.#options, session, groups, ...attempt }),
        this.#commitOffsets(offsets, member, attempt),
      ]);
      // The last moment at which it can still be given up.
      signal.throwIfAborted();
    } catch (error) {
      if (mayBeOpen) await this.#giveUp(error, groups, signal);
      throw outcomeOf(error);
    }
    await this.#end(groups);
    return lastOffsets;
  }

  #attempt(signal: AbortSignal): Attempt {
    return { untilMs: this.#options.clock.monotonicMs() + this.#timeoutMs, signal };
  }

  /** The era in which a transaction may be begun. */
  async #settled(attempt: Attempt): Promise<number> {
    for (;;) {
      if (this.#settledEra !== this.#requests.era) {
        this.#settledEra = await this.#settlement.settle(this.#identity, attempt);
      }
      if (this.#session !== undefined || (await this.#tryToTakeEpoch(this.#settledEra, attempt)))
        return this.#settledEra;
    }
  }

  /** False when the era is over; whether the coordinator has taken it is not known then. */
  async #tryToBegin(
    places: readonly TopicPartition[],
    groupId: string | undefined,
    era: number,
    attempt: Attempt,
  ): Promise<boolean> {
    return this.#inEra(era, attempt, (connection) => addToTransaction(connection, this.#identity, places, groupId));
  }

  /** Brokers may miss sequence numbers of the present epoch. */
  #tryToTakeEpoch(era: number, attempt: Attempt): Promise<boolean> {
    return this.#inEra(era, attempt, async (connection) => {
      this.#identity = await takeProducerId(connection, this.#identity, this.#timeoutMs);
      this.#beginSession();
    });
  }

  async #inEra(
    era: number,
    attempt: Attempt,
    send: Parameters<CoordinatorRequests['ask']>[0]['send'],
  ): Promise<boolean> {
    const key = this.#options.transactionalId;
    try {
      await this.#requests.ask({ kind: 'transaction', key, era, ...attempt, send });
      return true;
    } catch (error) {
      if (error instanceof InterruptedError) return false;
      throw error;
    }
  }

  /** Undefined when it has to be looked again how the last transaction stands. */
  async #tryToTakeId(era: number, signal: AbortSignal): Promise<ProducerIdentity | undefined> {
    const { transactionalId } = this.#options;
    try {
      return await this.#requests.ask({
        kind: 'transaction',
        key: transactionalId,
        untilMs: Number.NEGATIVE_INFINITY,
        signal,
        era,
        send: (connection) => takeProducerId(connection, anybody(transactionalId), this.#timeoutMs),
      });
    } catch (error) {
      if (error instanceof InterruptedError || (isPassing(error) && !(error instanceof TypeError))) return undefined;
      throw error;
    }
  }

  #beginSession(): void {
    const { producerId, producerEpoch } = this.#identity;
    this.#session = new ProducerSession(producerId, producerEpoch, lastSequence, true);
  }

  #sessionFor(partitions: readonly string[], records: number): ProducerSession {
    if (this.#session === undefined) throw new Error('A transactional producer has to be initialised first');
    if (this.#session.isSpent(partitions, records)) throw new SpentError('Its sequence numbers have run out');
    return this.#session;
  }

  async #commitOffsets(offsets: readonly ConsumedOffset[], member: GroupMember, attempt: Attempt): Promise<void> {
    if (offsets.length === 0) return;
    await this.#requests.ask({
      kind: 'group',
      key: member.groupId,
      ...attempt,
      send: (connection) => commitOffsets(connection, this.#identity, member, offsets),
    });
  }

  /** Commits, and asks until that is known. */
  async #end(places: readonly TopicPartition[]): Promise<void> {
    const { transactionalId, clock } = this.#options;
    try {
      await this.#requests.ask({
        kind: 'transaction',
        key: transactionalId,
        untilMs: clock.monotonicMs() + outcomeMs,
        send: (connection) => endTransaction(connection, this.#identity, 'committed'),
      });
    } catch (error) {
      throw new OutcomeUnknownError(`Kafka: whether a transaction is committed is not known: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#settlement.ended('committed', places);
  }

  /**
   * Ends a transaction that has failed.
   *
   * @throws {FencedError | OutcomeUnknownError} when that cannot be done.
   */
  async #giveUp(cause: unknown, places: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    if (isFenced(cause)) return;
    this.#session = undefined;
    try {
      const wasOpen = await this.#requests.ask({
        kind: 'transaction',
        key: this.#options.transactionalId,
        ...this.#attempt(signal),
        send: (connection) => endTransaction(connection, this.#identity, 'aborted').then(() => true, wasNotOpen),
      });
      if (wasOpen) this.#settlement.ended('aborted', places);
    } catch (error) {
      if (signal.aborted) return;
      if (isFenced(error)) throw new FencedError(messageOf(error), { cause: error });
      throw new OutcomeUnknownError(`Kafka: a transaction cannot be given up: ${messageOf(error)}`, { cause: error });
    }
  }

  async #asAppErrors(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (signal.aborted || error instanceof AppError || !(error instanceof GenericError)) throw error;
      if (isFenced(error)) throw new FencedError(messageOf(error), { cause: error });
      throw new KafkaRequestError(`Kafka: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** No more sequence numbers: a new epoch begins with 0 again. */
class SpentError extends Error {}

/** What a transaction that has been aborted because of `error` ends with. */
function outcomeOf(error: unknown): Error {
  if (error instanceof RecordRefusedError || error instanceof UnmarkedTransactionError) return error;
  const message = error instanceof AppError ? messageOf(error) : `Kafka: ${messageOf(error)}`;
  if (isFenced(error)) return new FencedError(message, { cause: error });
  const names = [...errorNamesOf(error)];
  if (names.some((name) => notMember.has(name))) return new NotMemberError(message, { cause: error });
  if (names.some(isRefusal)) return new RecordRefusedError(message, { cause: error });
  return new TransactionAbortedError(message, { cause: error });
}

/** The transaction was never begun, or has been ended already. */
function wasNotOpen(error: unknown): false {
  if (!errorNamesOf(error).has('INVALID_TXN_STATE')) throw error;
  return false;
}
