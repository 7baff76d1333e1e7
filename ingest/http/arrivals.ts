import type { Clock } from '../../lib/clock.ts';

/** How long what arrives is gathered at most. */
const longestGatherMs = 2;

/**
 * Gathers what arrives while every turn of the event loop brings more, and hands it over together, in order: one turn later at low load,
 * 2 ms later when no turn is idle.
 *
 * A processor that does the same with many callbacks in a row has the code at hand, and a batch for Kafka costs as much as some dozens
 * of records.
 */
export class Arrivals<T> {
  readonly #clock: Clock;
  readonly #handOver: (arrived: readonly T[]) => void;
  #arrived: T[] = [];
  #before = 0;
  #beganMs = 0;

  constructor(clock: Clock, handOver: (arrived: readonly T[]) => void) {
    this.#clock = clock;
    this.#handOver = handOver;
  }

  add(item: T): void {
    this.#arrived.push(item);
    if (this.#arrived.length > 1) return;
    this.#beganMs = this.#clock.monotonicMs();
    this.#waitATurn();
  }

  #waitATurn(): void {
    this.#before = this.#arrived.length;
    setImmediate(() => this.#decide());
  }

  #decide(): void {
    const isBusy = this.#arrived.length > this.#before;
    if (isBusy && this.#clock.monotonicMs() - this.#beganMs < longestGatherMs) {
      this.#waitATurn();
      return;
    }
    const arrived = this.#arrived;
    this.#arrived = [];
    this.#handOver(arrived);
  }
}
