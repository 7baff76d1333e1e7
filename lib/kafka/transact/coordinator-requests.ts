import type { Connection } from '@platformatic/kafka';
import { type Clock, sleep } from '../../clock.ts';
import type { CoordinatorKind, Coordinators } from '../coordinators.ts';
import { errorNamesOf, isCoordinatorElsewhere } from '../kafka-errors.ts';

const firstPauseMs = 5;
const longestPauseMs = 500;

export interface CoordinatorRequest<T> {
  readonly kind: CoordinatorKind;
  readonly key: string;
  /** Until when it is asked again, by the monotonic clock. */
  readonly untilMs: number;
  readonly signal?: AbortSignal;
  /** Not to be sent in a later era than this. */
  readonly era?: number;
  readonly send: (connection: Connection) => Promise<T>;
}

/** The era that a request was for is over: how things stand has to be looked at again. */
export class InterruptedError extends Error {}

/** Requests to coordinators that are sent again, wherever the coordinator is by then, until there is an answer that counts. */
export class CoordinatorRequests {
  readonly #coordinators: Coordinators;
  readonly #clock: Clock;
  #transacting: Connection | undefined;
  #era = 0;

  constructor(coordinators: Coordinators, clock: Clock) {
    this.#coordinators = coordinators;
    this.#clock = clock;
  }

  /**
   * Number of the present era: in one, all requests about transactions were answered, over one connection. So their coordinator has not
   * restarted between two of them.
   */
  get era(): number {
    return this.#era;
  }

  /**
   * @throws what was answered, when that is final or time is up; {InterruptedError} when the era of the request has ended, before it
   *   was sent or with it; and the reason of `signal` once that is aborted.
   */
  async ask<T>({ kind, key, untilMs, signal, era, send }: CoordinatorRequest<T>): Promise<T> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      signal?.throwIfAborted();
      try {
        const connection = await this.#coordinators.connectionTo(kind, key);
        if (kind === 'transaction') this.#goOver(connection);
        if (era !== undefined && era !== this.#era) throw new InterruptedError('The coordinator may have restarted');
        return await send(connection);
      } catch (error) {
        if (error instanceof InterruptedError) throw error;
        const isElsewhere = isCoordinatorElsewhere(error);
        if (isElsewhere) this.#coordinators.forget(kind, key);
        if (isElsewhere && kind === 'transaction') this.#era += 1;
        if (error instanceof TypeError || isFinal(error) || this.#clock.monotonicMs() + pauseMs > untilMs) throw error;
        if (era !== undefined && era !== this.#era) throw new InterruptedError('No answer', { cause: error });
      }
      await sleep(this.#clock, pauseMs);
    }
  }

  #goOver(connection: Connection): void {
    if (this.#transacting !== undefined && this.#transacting !== connection) this.#era += 1;
    this.#transacting = connection;
  }
}

/** Whether asking again gives the same. */
function isFinal(error: unknown): boolean {
  return errorNamesOf(error).size > 0 && !isPassing(error);
}

/** Whether an answer is one that is given while a transaction is ending, and while brokers start, fail over, or learn of a topic. */
export function isPassing(error: unknown): boolean {
  return isCoordinatorElsewhere(error) || [...errorNamesOf(error)].some((name) => passing.has(name));
}

const passing = new Set([
  'CONCURRENT_TRANSACTIONS',
  'REQUEST_TIMED_OUT',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NETWORK_EXCEPTION',
]);
