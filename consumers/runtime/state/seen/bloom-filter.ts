import { bitsAt } from './event-id.ts';

/** At least as many bits for each id; with as many probes as below one new id in 300 is taken for a known one, or fewer. */
const bitsPerId = 12;
const probes = 8;

/** Says of most new ids that they are new, without looking at the disk. */
export class BloomFilter {
  readonly #bits: Uint32Array;
  /** One less than the number of bits, a power of two. */
  readonly #mask: number;

  private constructor(bits: Uint32Array) {
    this.#bits = bits;
    this.#mask = bits.length * 32 - 1;
  }

  /** An empty one for `count` ids. */
  static for(count: number): BloomFilter {
    return new BloomFilter(new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(count, 8) * bitsPerId)) / 32));
  }

  /** One whose `bytes` have been kept. */
  static of(bytes: Uint8Array): BloomFilter {
    return new BloomFilter(new Uint32Array(bytes.slice().buffer));
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#bits.buffer);
  }

  /** Adds the id that `ids` has at `at`. */
  add(ids: Uint8Array, at: number): void {
    const step = bitsAt(ids, at + 4) | 1;
    for (let probe = 0, hash = bitsAt(ids, at); probe < probes; probe += 1, hash = (hash + step) >>> 0) {
      const bit = hash & this.#mask;
      this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] as number) | (1 << (bit & 31));
    }
  }

  /** False when `id` is new for certain. */
  mayHave(id: Uint8Array): boolean {
    const step = bitsAt(id, 4) | 1;
    for (let probe = 0, hash = bitsAt(id, 0); probe < probes; probe += 1, hash = (hash + step) >>> 0) {
      const bit = hash & this.#mask;
      if (((this.#bits[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }
}
