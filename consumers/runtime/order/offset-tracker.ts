/**
 * Which records of a partition are done when they end in any order. All before `low` are; it is what may be committed. Those beyond
 * that are done already are `above`, and are not to be done again after a restart.
 */
export class OffsetTracker {
  /** Begun or passed over, not yet below `low`, ascending; true for those that are done. */
  readonly #offsets = new Map<number, boolean>();
  #low: number;
  #next: number;

  /** @param low the first offset that is not done. */
  constructor(low: number) {
    this.#low = low;
    this.#next = low;
  }

  /** The first offset that is not done. */
  get low(): number {
    return this.#low;
  }

  /** Offsets from `low` on that are done, ascending. */
  get above(): readonly number[] {
    return Array.from(this.#offsets).flatMap(([offset, isDone]) => (isDone ? [offset] : []));
  }

  /** Records that have begun and are not done. */
  get open(): number {
    return this.#offsets.size - this.above.length;
  }

  /** The record at `offset` has begun; offsets ascend, and those that are left out hold no record. */
  begin(offset: number): void {
    if (offset < this.#next) throw new RangeError(`offset ${offset} after ${this.#next - 1}`);
    this.#offsets.set(offset, false);
    this.#next = offset + 1;
    this.#advance();
  }

  /** There is no record before `next`, beyond those that have begun. */
  skipTo(next: number): void {
    this.#next = Math.max(this.#next, next);
    this.#advance();
  }

  done(offset: number): void {
    if (!this.#offsets.has(offset)) throw new RangeError(`offset ${offset} has not begun`);
    this.#offsets.set(offset, true);
    this.#advance();
  }

  #advance(): void {
    for (const [offset, isDone] of this.#offsets) {
      if (!isDone) {
        this.#low = offset;
        return;
      }
      this.#offsets.delete(offset);
    }
    this.#low = this.#next;
  }
}
