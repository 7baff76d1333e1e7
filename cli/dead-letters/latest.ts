import type { PlacedLetter } from './letter.ts';

/** Holds the latest `limit` of what is added, by when it failed, and forgets the others as it goes. */
export class Latest {
  readonly #limit: number;
  #held: PlacedLetter[] = [];
  #seen = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(placed: PlacedLetter): void {
    this.#seen += 1;
    this.#held.push(placed);
    if (this.#held.length >= 2 * this.#limit + 100) this.#held = this.letters.slice();
  }

  /** How many were added. */
  get seen(): number {
    return this.#seen;
  }

  /** Oldest first. */
  get letters(): readonly PlacedLetter[] {
    const sorted = this.#held.toSorted((a, b) => a.letter.firstFailedAt - b.letter.firstFailedAt);
    return sorted.slice(Math.max(0, sorted.length - this.#limit));
  }
}
