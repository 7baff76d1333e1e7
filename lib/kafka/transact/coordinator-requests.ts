import type { Connection } from '@platformatic/kafka';
import { type Clock, sleep } from '../../clock.ts';
import type { CoordinatorKind, Coordinators } from '../coordinators.ts';
import { errorNamesOf, isCoordinatorElsewhere } from '../kafka-errors.ts';

const firstPauseMs = 5;
const longestPauseMs = 500;

/** The end of the transaction before is still being written. */
const concurrent = 'CONCURRENT_TRANSACTIONS';

export interface CoordinatorRequest<T> {
  readonly kind: CoordinatorKind;
  readonly key: string;
  /** Until when it is asked again, by the monotonic clock. */
  readonly untilMs: number;
  readonly signal?: AbortSignal;
  readonly send: (connection: Connection) => Promise<T>;
}

/** Requests to coordinators that are sent again, wherever the coordinator is by then, until there is an answer that counts. */
export class CoordinatorRequests {
  readonly #coordinators: Coordinators;
  readonly #clock: Clock;
  #transacting: Connection | undefined;
  #wasInterrupted = false;

  constructor(coordinators: Coordinators, clock: Clock) {
    this.#coordinators = coordinators;
    this.#clock = clock;
  }

  /**
   * Whether the coordinator of transactions was lost, or another one answered, since `takeInterruption`: a broker that restarts may
   * forget marks of a transaction that it has ended before.
   */
  get wasInterrupted(): boolean {
    return this.#wasInterrupted;
  }

  /** What is to be done about an interruption begins. */
  takeInterruption(): void {
    this.#wasInterrupted = false;
  }

  /** What was to be done about an interruption has not been done. */
  interrupted(): void {
    this.#wasInterrupted = true;
  }

  /** @throws what was answered, when that is final or time is up; and the reason of `signal` once that is aborted. */
  async ask<T>({ kind, key, untilMs, signal, send }: CoordinatorRequest<T>): Promise<T> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      signal?.throwIfAborted();
      try {
        const connection = await this.#coordinators.connectionTo(kind, key);
        if (kind === 'transaction') this.#note(connection);
        return await send(connection);
      } catch (error) {
        const isElsewhere = isCoordinatorElsewhere(error);
        if (isElsewhere && kind === 'transaction') this.#wasInterrupted = true;
        if (error instanceof TypeError || isFinal(error) || this.#clock.monotonicMs() + pauseMs > untilMs) throw error;
        if (isElsewhere) this.#coordinators.forget(kind, key);
      }
      await sleep(this.#clock, pauseMs);
    }
  }

  #note(connection: Connection): void {
    if (this.#transacting !== undefined && this.#transacting !== connection) this.#wasInterrupted = true;
    this.#transacting = connection;
  }
}

/** Whether asking again gives the same. */
function isFinal(error: unknown): boolean {
  const names = [...errorNamesOf(error)];
  return names.length > 0 && !names.includes(concurrent) && !isCoordinatorElsewhere(error) && !isPassing(names);
}

/** Answers that are given while brokers start, fail over, or learn of a topic. */
function isPassing(names: readonly string[]): boolean {
  return names.some((name) => ['REQUEST_TIMED_OUT', 'UNKNOWN_TOPIC_OR_PARTITION', 'NETWORK_EXCEPTION'].includes(name));
}
