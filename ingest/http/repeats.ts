/** Tencent's requests are valid for a minute before and after their RequestTime, so a copy can be sent for two minutes. */
const horizonSec = 120;

/** Slots of the table: at a thousand events a second a repeat after ten seconds goes unseen in 4 of 100 cases. */
const defaultSlots = 2 ** 18;

/**
 * Sees which events were made durable before, within two minutes of monotonic time.
 *
 * A table of fixed size with a slot for each id by its first digits, which the next id of that slot takes over: it costs
 * 3 MiB and nothing else, however many events come, and misses some repeats. It decides about nothing: repeats are written
 * all the same, and consumers de-duplicate by `eventId`.
 */
export class Repeats {
  readonly #slots: number;
  /** Of each slot: two parts of the id that it was taken by last, and when, in seconds from 1. */
  readonly #firsts: Uint32Array;
  readonly #seconds: Uint32Array;
  readonly #takenSec: Uint32Array;

  /** @param slots a power of two. */
  constructor(slots = defaultSlots) {
    this.#slots = slots;
    this.#firsts = new Uint32Array(slots);
    this.#seconds = new Uint32Array(slots);
    this.#takenSec = new Uint32Array(slots);
  }

  /** How many of these ids (hexadecimal digits), durable now, had been so before. */
  durable(eventIds: readonly string[], monotonicMs: number): number {
    const nowSec = Math.floor(monotonicMs / 1000) + 1;
    let repeated = 0;
    for (const id of eventIds) if (this.#take(id, nowSec)) repeated += 1;
    return repeated;
  }

  /** Whether the id held its slot within the horizon; it does from now on. */
  #take(id: string, nowSec: number): boolean {
    const slot = digits(id, 0) & (this.#slots - 1);
    const first = digits(id, 8);
    const second = digits(id, 16);
    const takenSec = this.#takenSec[slot] ?? 0;
    const isSame = takenSec !== 0 && this.#firsts[slot] === first && this.#seconds[slot] === second;
    this.#firsts[slot] = first;
    this.#seconds[slot] = second;
    this.#takenSec[slot] = nowSec;
    return isSame && nowSec - takenSec <= horizonSec;
  }
}

/** 32 bits of an id. */
function digits(id: string, from: number): number {
  return Number.parseInt(id.slice(from, from + 8), 16) >>> 0;
}
