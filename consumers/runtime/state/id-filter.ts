/** Bits for each id: with as many probes as below one of a hundred new ids is taken for a known one. */
const bitsPerId = 10;
const probes = 7;
const smallestBlock = 2 ** 16;

interface Block {
  readonly bits: Uint32Array;
  /** One less than the number of bits, a power of two. */
  readonly mask: number;
  readonly capacity: number;
  ids: number;
  /** The latest time of an id in it. */
  latestMs: number;
}

/**
 * Says of most new ids that they are new, without looking at the disk: Bloom filters, one after the other, so that what is too old is
 * forgotten with its filter. About 1.3 bytes for each id.
 */
export class IdFilter {
  readonly #blocks: Block[] = [];
  #ids = 0;

  /** False when the id is not known for certain. @param high and @param low are 52 bits each of a hash. */
  mayHave(high: number, low: number): boolean {
    const [first, step] = [high >>> 0, (low >>> 0) | 1];
    return this.#blocks.some(({ bits, mask }) => {
      for (let probe = 0, at = first; probe < probes; probe += 1, at = (at + step) >>> 0) {
        const bit = at & mask;
        if (((bits[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false;
      }
      return true;
    });
  }

  add(high: number, low: number, timeMs: number): void {
    let block = this.#blocks.at(-1);
    if (block === undefined || block.ids >= block.capacity) {
      block = newBlock(Math.max(smallestBlock, this.#ids / 4));
      this.#blocks.push(block);
    }
    const step = (low >>> 0) | 1;
    for (let probe = 0, at = high >>> 0; probe < probes; probe += 1, at = (at + step) >>> 0) {
      const bit = at & block.mask;
      block.bits[bit >>> 5] = (block.bits[bit >>> 5] as number) | (1 << (bit & 31));
    }
    block.ids += 1;
    block.latestMs = timeMs;
    this.#ids += 1;
  }

  /** Forgets blocks whose ids are all older than `limitMs`. */
  forgetBefore(limitMs: number): void {
    while ((this.#blocks[0]?.latestMs ?? limitMs) < limitMs) this.#ids -= this.#blocks.shift()?.ids ?? 0;
  }
}

function newBlock(wantedIds: number): Block {
  const size = 2 ** Math.ceil(Math.log2(wantedIds * bitsPerId));
  return {
    bits: new Uint32Array(size / 32),
    mask: size - 1,
    capacity: Math.floor(size / bitsPerId),
    ids: 0,
    latestMs: 0,
  };
}
