import { bitsAt, idBytes, isIdAt } from './event-id.ts';

/** Ids one behind the other, and how late the partition was when each was taken. */
export interface IdBatch {
  readonly ids: Uint8Array;
  /** Epoch milliseconds, ascending. */
  readonly timesMs: ArrayLike<number>;
}

const firstCapacity = 1_024;

/** Ids in memory in the order in which they were taken, found by a hash table with open addressing. */
export class RecentIds {
  #ids = new Uint8Array(firstCapacity * idBytes);
  #timesMs = new Float64Array(firstCapacity);
  /** One more than the number of an id; 0 where there is none. Twice as many as ids. */
  #slots = new Int32Array(2 * firstCapacity);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The place of `id`, for `timeAt` and `add`; good until something is added. */
  find(id: Uint8Array): number {
    const mask = this.#slots.length - 1;
    for (let slot = bitsAt(id, 0) & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] as number;
      if (number === 0 || isIdAt(this.#ids, (number - 1) * idBytes, id)) return slot;
    }
  }

  /** When the id with this place was taken last. */
  timeAt(place: number): number | undefined {
    const number = this.#slots[place] as number;
    return number === 0 ? undefined : this.#timesMs[number - 1];
  }

  add(id: Uint8Array, place: number, timeMs: number): void {
    this.#ids.set(id, this.#count * idBytes);
    this.#timesMs[this.#count] = timeMs;
    this.#count += 1;
    this.#slots[place] = this.#count;
    if (this.#count === this.#timesMs.length) this.#grow();
  }

  /** A copy of those from number `begin` up to `end`. */
  slice(begin: number, end: number): IdBatch {
    return { ids: this.#ids.slice(begin * idBytes, end * idBytes), timesMs: this.#timesMs.slice(begin, end) };
  }

  /** Forgets those before number `begin`. */
  dropBefore(begin: number): void {
    const kept = this.slice(begin, this.#count);
    this.#slots.fill(0);
    this.#addAll(kept);
  }

  #grow(): void {
    const all = this.slice(0, this.#count);
    const capacity = 2 * this.#timesMs.length;
    this.#ids = new Uint8Array(capacity * idBytes);
    this.#timesMs = new Float64Array(capacity);
    this.#slots = new Int32Array(2 * capacity);
    this.#addAll(all);
  }

  #addAll({ ids, timesMs }: IdBatch): void {
    this.#count = 0;
    for (let index = 0; index < timesMs.length; index += 1) {
      const id = ids.subarray(index * idBytes, (index + 1) * idBytes);
      this.add(id, this.find(id), timesMs[index] as number);
    }
  }
}
