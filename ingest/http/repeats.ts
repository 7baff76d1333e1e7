/** Tencent's requests are valid for a minute before and after their RequestTime, so a copy can be sent for two minutes. */
const horizonSec = 120;

/** Slots of the table: at a thousand events a second a repeat after ten seconds goes unseen in 4 of 100 cases. */
const defaultSlots = 2 ** 18;
const slotNumbers = 2;

/**
 * Sees which events were made durable before, within two minutes of monotonic time.
 *
 * A table of fixed size with a slot for each id by its first digits, which the next id of that slot takes over: it costs
 * 2 MiB and nothing else, however many events come, and misses some repeats. It decides about nothing: repeats are written
 * all the same, and consumers de-duplicate by `eventId`.
 */
export class Repeats {
  readonly #slots: number;
  /** For each slot two numbers: a part of the id that it was taken by last, and when, in seconds from 1. */
  readonly #table: Uint32Array;

  /** @param slots a power of two. */
  constructor(slots = defaultSlots) {
    this.#slots = slots;
    this.#table = new Uint32Array(slotNumbers * slots);
  }

  /** How many of these events, durable now, had been so before, by their ids (hexadecimal digits). */
  durable(events: readonly { readonly value: { readonly eventId: string } }[], monotonicMs: number): number {
    const nowSec = Math.floor(monotonicMs / 1000) + 1;
    let repeated = 0;
    for (const { value } of events) if (this.#take(value.eventId, nowSec)) repeated += 1;
    return repeated;
  }

  /** Whether the id held its slot within the horizon; it does from now on. */
  #take(id: string, nowSec: number): boolean {
    const table = this.#table;
    const at = slotNumbers * (digits(id, 0) & (this.#slots - 1));
    const part = digits(id, 8);
    const takenSec = table[at + 1] ?? 0;
    const isSame = takenSec !== 0 && table[at] === part;
    table[at] = part;
    table[at + 1] = nowSec;
    return isSame && nowSec - takenSec <= horizonSec;
  }
}

/** 32 bits of an id, by 8 of its hexadecimal digits in lower case. */
function digits(id: string, from: number): number {
  let bits = 0;
  for (let at = from; at < from + 8; at += 1) {
    const code = id.charCodeAt(at);
    bits = (bits << 4) | (code < letterA ? code - digit0 : code - letterA + 10);
  }
  return bits >>> 0;
}

const digit0 = 0x30;
const letterA = 0x61;
