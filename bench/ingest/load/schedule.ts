/** How often the sender wakes up. */
export const tickMs = 1;

/**
 * When the requests of an open loop are due: at a fixed rate, whether or not answers come.
 *
 * The sender wakes up once a millisecond; what becomes due in between counts from the moment at which it was to wake up, so that its
 * own granularity is not measured. Whatever is later than that counts from when it was due: nothing is omitted.
 */
export class Schedule {
  readonly #perMs: number;
  readonly #total: number;
  readonly #beganMs: number;
  #wakeUpMs: number;
  #sent = 0;

  constructor(perSecond: number, seconds: number, nowMs: number) {
    this.#perMs = perSecond / 1000;
    this.#total = Math.round(perSecond * seconds);
    this.#beganMs = nowMs;
    this.#wakeUpMs = nowMs;
  }

  get isOver(): boolean {
    return this.#sent >= this.#total;
  }

  /** The moments from which the requests that are due at `nowMs` count. */
  due(nowMs: number): readonly number[] {
    const until = Math.min(this.#total, Math.floor((nowMs - this.#beganMs) * this.#perMs) + 1);
    const moments: number[] = [];
    for (; this.#sent < until; this.#sent += 1) {
      moments.push(Math.max(this.#beganMs + this.#sent / this.#perMs, Math.min(this.#wakeUpMs, nowMs)));
    }
    this.#wakeUpMs = nowMs + tickMs;
    return moments;
  }
}
