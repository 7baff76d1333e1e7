import type { Clock } from '../../lib/clock.ts';

/** Somebody may go; waited beyond the given time; or there are no turns any more. */
export type Turn = 'go' | 'late' | 'stopped';

interface Waiting {
  readonly untilMs: number;
  readonly resolve: (turn: Turn) => void;
}

/** So many failures in a row mean that the backend is in trouble, and not one callback. */
const failuresOfTrouble = 10;
const firstPauseMs = 100;
const longestPauseMs = 2_000;

/**
 * Gives turns, in the order in which they are asked for, to a limited number at a time. While nothing but failures comes back
 * there is one turn at a time, with pauses of full jitter between them, so that a backend that is away costs nothing; the first
 * success opens all.
 */
export class Turns {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;
  #failures = 0;
  #pauses = 0;
  #cancelPause: (() => void) | undefined;
  #isStopped = false;

  constructor(limit: number, clock: Clock, random: () => number) {
    this.#limit = limit;
    this.#clock = clock;
    this.#random = random;
  }

  /** Waits for a turn, which `give` must give back when the answer is `go`. Past `untilMs` (monotonic) it is `late`. */
  take(untilMs: number): Promise<Turn> {
    if (this.#isStopped) return Promise.resolve('stopped');
    return new Promise((resolve) => {
      this.#waiting.push({ untilMs, resolve });
      this.#next();
    });
  }

  /** Gives a turn back, with whether the backend was well. */
  give(isWell: boolean): void {
    this.#taken -= 1;
    if (isWell) {
      this.#failures = 0;
      this.#pauses = 0;
      this.#cancelPause?.();
      this.#cancelPause = undefined;
    } else {
      this.#failures += 1;
      if (this.#isInTrouble && this.#taken === 0) this.#pause();
    }
    this.#next();
  }

  /** Ends all waiting. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelPause?.();
    for (const { resolve } of this.#waiting.splice(0)) resolve('stopped');
  }

  get #isInTrouble(): boolean {
    return this.#failures >= failuresOfTrouble;
  }

  #pause(): void {
    const pauseMs = this.#random() * Math.min(longestPauseMs, firstPauseMs * 2 ** this.#pauses);
    this.#pauses += 1;
    this.#cancelPause?.();
    this.#cancelPause = this.#clock.after(pauseMs, () => {
      this.#cancelPause = undefined;
      this.#next();
    });
  }

  #next(): void {
    const nowMs = this.#clock.monotonicMs();
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      const isLate = first.untilMs < nowMs;
      if (!isLate && !this.#hasFree) return;
      if (!isLate) this.#taken += 1;
      this.#waiting.shift();
      first.resolve(isLate ? 'late' : 'go');
    }
  }

  get #hasFree(): boolean {
    if (this.#cancelPause !== undefined) return false;
    return this.#taken < (this.#isInTrouble ? 1 : this.#limit);
  }
}
