import type { Clock } from '../../lib/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly task: () => void;
}

/** A clock that moves only when it is told to. */
export class ManualClock implements Clock {
  #nowMs: number;
  #wallStepMs = 0;
  #timers: Timer[] = [];

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  get waiting(): number {
    return this.#timers.length;
  }

  /** Milliseconds until the next timer, `undefined` when nothing waits. */
  get nextMs(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map(({ atMs }) => atMs)) - this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs + this.#wallStepMs;
  }

  /** Sets the clock on the wall forward or back, which no monotonic clock and no timer takes notice of. */
  setWall(stepMs: number): void {
    this.#wallStepMs += stepMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((candidate) => candidate !== timer);
    };
  }

  /** Moves on by `ms`, running what falls due, in order, each at its time. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const [next] = this.#timers.filter((timer) => timer.atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.atMs;
      next.task();
    }
    this.#nowMs = endMs;
  }
}
