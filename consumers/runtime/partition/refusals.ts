/**
 * What is known of the outputs of a partition that Kafka will never take, kept from one taking of the partition to the next: events
 * of a transaction that was refused are handled one by one then, and one whose outputs are refused becomes a dead letter.
 */
export class Refusals {
  #suspectBefore = 0;
  readonly #refused = new Map<number, string>();

  /** The outputs of the events with these offsets, at least one, were refused together. */
  refused(offsets: readonly number[], why: string): void {
    const [first = 0] = offsets;
    if (offsets.length === 1) this.#refused.set(first, why);
    else this.#suspectBefore = Math.max(this.#suspectBefore, (offsets.at(-1) ?? first) + 1);
  }

  /** Whether nothing was refused from `offset` on, nor may be for what is known. */
  areNoneFrom(offset: number): boolean {
    return offset >= this.#suspectBefore && this.#refused.size === 0;
  }

  /** Whether the event at `offset` is to be handled in a transaction of its own. */
  isSuspect(offset: number): boolean {
    return offset < this.#suspectBefore || this.#refused.has(offset);
  }

  /** Why the event at `offset` cannot be handled; `undefined` when it can. */
  whyRefused(offset: number): string | undefined {
    return this.#refused.get(offset);
  }

  /** Forgets what lies before `offset`, which is settled. */
  settled(offset: number): void {
    for (const each of this.#refused.keys()) if (each < offset) this.#refused.delete(each);
  }
}
