import type { Publication } from './publication.ts';

/** How many settled ones stand in front before the list is cut. */
const cutLength = 1024;

/** Publications on their way, in the order in which they came. Costs no more than a list, as they settle nearly in that order. */
export class Pending {
  #all: Publication[] = [];
  /** Before it stand settled ones. */
  #front = 0;

  add(publication: Publication): void {
    this.#skipSettled();
    this.#all.push(publication);
  }

  /** The one that waits longest. */
  get oldest(): Publication | undefined {
    this.#skipSettled();
    return this.#all[this.#front];
  }

  /** All that are not settled, in order. */
  get unsettled(): readonly Publication[] {
    return this.#all.slice(this.#front).filter(({ isSettled }) => !isSettled);
  }

  #skipSettled(): void {
    while (this.#all[this.#front]?.isSettled === true) this.#front += 1;
    if (this.#front < this.#all.length && this.#front < cutLength) return;
    this.#all = this.#all.slice(this.#front);
    this.#front = 0;
  }
}
