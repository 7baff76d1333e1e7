import { type Clock, sleep } from '../../clock.ts';
import { KafkaRequestError } from '../admin.ts';
import type { Cluster } from '../cluster.ts';
import type { TopicPartition } from '../ports.ts';
import type { CoordinatorRequests } from './coordinator-requests.ts';
import { UnmarkedTransactionError } from './errors.ts';
import { addToTransaction, endTransaction, type Outcome, type ProducerIdentity } from './transaction-requests.ts';
import { isOfLast, type LastTransaction, lastTransactionOf, openPlacesOf } from './unmarked.ts';

export interface SettlementOptions {
  readonly cluster: Cluster;
  readonly requests: CoordinatorRequests;
  readonly transactionalId: string;
  /** Every partition that transactions of the id may write to, and those of its predecessors. */
  readonly places: readonly TopicPartition[];
  /** The consumer group whose offsets they commit. */
  readonly groupId?: string;
  /** Told of marks that a broker has forgotten, before they are made up for. */
  readonly onForgottenMarks?: (places: readonly TopicPartition[], outcome: Outcome) => void;
  readonly clock: Clock;
}

/** How long something is tried. */
export interface Attempt {
  /** By the monotonic clock. */
  readonly untilMs: number;
  readonly signal: AbortSignal;
}

interface Marks {
  readonly places: readonly TopicPartition[];
  readonly groupId: string | undefined;
  readonly outcome: Outcome;
}

const firstPauseMs = 10;
const longestPauseMs = 500;
/** How long marks are tried that nobody else knows of: while the coordinator is away nobody else gets the id either. */
const marksMs = 60_000;

/**
 * What the last transaction of a transactional id has come to, and that its marks are written everywhere.
 *
 * A coordinator answers that a transaction is over before all of its marks are written. A broker that restarts within that may forget
 * some of them (it takes partitions that it has not yet heard of for removed ones): there the transaction stays open, and the mark of
 * the next one would decide about it too.
 */
export class Settlement {
  readonly #options: SettlementOptions;
  #outcome: Outcome | undefined;
  /** Where the last transaction may have written to. */
  #places: readonly TopicPartition[];
  /** Are to be written before anything else. */
  #marks: Marks | undefined;
  /** In which the group had its mark. */
  #groupEra = -1;

  constructor(options: SettlementOptions) {
    this.#options = options;
    this.#places = options.places;
  }

  /** A transaction that has written to `places` is over. */
  ended(outcome: Outcome, places: readonly TopicPartition[]): void {
    this.#outcome = outcome;
    this.#places = places;
  }

  /**
   * Takes the id over by `take`, which answers undefined when it has to be tried again. Before that it is learnt how the last transaction
   * has ended and where it is open, as the coordinator forgets it with that; the marks that are missing are written right behind it,
   * even when `signal` is aborted.
   *
   * @throws {UnmarkedTransactionError} and the id is left to whoever has it; {KafkaRequestError}
   */
  async takeOver(
    take: (era: number) => Promise<ProducerIdentity | undefined>,
    { untilMs, signal }: Attempt,
  ): Promise<ProducerIdentity> {
    const { groupId, places, clock, onForgottenMarks } = this.#options;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      const last = await this.#lastTransaction({ untilMs, signal });
      const { era } = this.#options.requests;
      if (last.state !== 'ending') {
        const open = await this.#openPlaces(places, last.producerId, { untilMs, signal });
        const ofOthers = open.filter((place) => !isOfLast(place, last));
        if (ofOthers.length > 0) throw this.#unmarked(ofOthers);
        const identity = await take(era);
        if (identity !== undefined) {
          this.#outcome = last.outcome;
          if (last.outcome !== undefined) {
            if (open.length > 0) onForgottenMarks?.(open, last.outcome);
            const own = { untilMs: clock.monotonicMs() + marksMs, signal: new AbortController().signal };
            await this.#mark(identity, { places: open, groupId, outcome: last.outcome }, own);
          }
          return identity;
        }
      }
      await this.#pause(pauseMs, { untilMs, signal });
    }
  }

  /**
   * Resolves when the last transaction is open nowhere any more, with the era for which that holds: a transaction may be begun in that.
   *
   * @throws {UnmarkedTransactionError}; {KafkaRequestError} when that is not so in time.
   */
  async settle(identity: ProducerIdentity, attempt: Attempt): Promise<number> {
    const { requests, onForgottenMarks } = this.#options;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      if (this.#marks !== undefined) await this.#write(identity, this.#marks, attempt);
      const { state } = await this.#lastTransaction(attempt);
      const { era } = requests;
      // It was begun when all was settled.
      if (state === 'open') return era;
      if (state !== 'ending') {
        const open = await this.#openPlaces(this.#places, identity.producerId, attempt);
        const groupId = this.#groupEra === era ? undefined : this.#options.groupId;
        const outcome = this.#outcome;
        if (outcome === undefined) {
          if (open.length > 0) throw this.#unmarked(open);
          return era;
        }
        if (open.length === 0 && groupId === undefined) return era;
        if (open.length > 0) onForgottenMarks?.(open, outcome);
        this.#marks = { places: open, groupId, outcome };
      }
      await this.#pause(pauseMs, attempt);
    }
  }

  /** Ends offsets of a group that are pending; where nobody knows how what they belong to has ended, they are given up. */
  async endPending(identity: ProducerIdentity, groupId: string, attempt: Attempt): Promise<void> {
    await this.#mark(identity, { places: [], groupId, outcome: this.#outcome ?? 'aborted' }, attempt);
    await this.settle(identity, attempt);
  }

  #mark(identity: ProducerIdentity, marks: Marks, attempt: Attempt): Promise<void> {
    this.#marks = marks;
    return this.#write(identity, marks, attempt);
  }

  /**
   * A transaction without records, whose marks make up for those that are missing. All of it goes out at once: if it were begun and not
   * ended, the coordinator would abort it, and what is open with it.
   */
  async #write(
    identity: ProducerIdentity,
    { places, groupId, outcome }: Marks,
    { untilMs, signal }: Attempt,
  ): Promise<void> {
    const { requests, transactionalId } = this.#options;
    if (places.length > 0 || groupId !== undefined) {
      await requests.ask({
        kind: 'transaction',
        key: transactionalId,
        untilMs,
        signal,
        send: (connection) =>
          addToTransaction(connection, identity, places, groupId, () => endTransaction(connection, identity, outcome)),
      });
    }
    this.#outcome = outcome;
    this.#marks = undefined;
    if (groupId !== undefined) this.#groupEra = requests.era;
  }

  #lastTransaction({ untilMs, signal }: Attempt): Promise<LastTransaction> {
    const { requests, transactionalId } = this.#options;
    return requests.ask({
      kind: 'transaction',
      key: transactionalId,
      untilMs,
      signal,
      send: (connection) => lastTransactionOf(connection, transactionalId),
    });
  }

  #openPlaces(places: readonly TopicPartition[], producerId: bigint, { untilMs, signal }: Attempt) {
    const { cluster, clock } = this.#options;
    return openPlacesOf({ cluster, producerId, places, withinMs: untilMs - clock.monotonicMs(), clock, signal });
  }

  async #pause(pauseMs: number, { untilMs, signal }: Attempt): Promise<void> {
    const { clock } = this.#options;
    signal.throwIfAborted();
    if (clock.monotonicMs() + pauseMs > untilMs) {
      throw new KafkaRequestError('Kafka: the marks of the last transaction are still being written');
    }
    await sleep(clock, pauseMs);
  }

  #unmarked(open: readonly TopicPartition[]): UnmarkedTransactionError {
    const names = open.map(({ topic, partition }) => `${topic}/${partition}`).join(', ');
    return new UnmarkedTransactionError(
      `Kafka: a transaction of ${this.#options.transactionalId} has no end in ${names}, and its coordinator does not know how it ended`,
    );
  }
}
