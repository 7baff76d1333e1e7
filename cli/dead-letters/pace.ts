import type { Clock } from '../../lib/clock.ts';

/** Keeps to a rate: a turn is given out when its time has come, and time that nobody used is not made up for. */
export class Pace {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #freeAtMs = 0;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** Resolves when `count` more may be begun, or at once when `signal` ends it. */
  turn(count: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const startMs = Math.max(this.#freeAtMs, nowMs);
    this.#freeAtMs = startMs + (count * 1_000) / this.#perSecond;
    if (startMs <= nowMs || signal.aborted) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(startMs - nowMs, () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
    const end = (): void => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
    return promise;
  }
}
