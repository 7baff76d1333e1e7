import type { Publication } from './publication.ts';

/** How many empty places may stand in front before the list is cut. */
const cutLength = 1024;

/** Publications on their way, in the order in which they came. Costs no more than a list, as they settle nearly in that order. */
export class Pending {
  #places: (Publication | undefined)[] = [];
  /** Places before it are empty. */
  #front = 0;

  add(publication: Publication): void {
    this.#forgetSettled();
    this.#places.push(publication);
  }

  /** The one that waits longest. */
  get oldest(): Publication | undefined {
    this.#forgetSettled();
    return this.#places[this.#front];
  }

  /** All that are not settled, in order; they are not in here any more. */
  takeAll(): readonly Publication[] {
    const unsettled = this.#places.filter((publication) => publication?.isSettled === false) as Publication[];
    this.#places = [];
    this.#front = 0;
    return unsettled;
  }

  #forgetSettled(): void {
    while (this.#places[this.#front]?.isSettled === true) {
      this.#places[this.#front] = undefined;
      this.#front += 1;
    }
    if (this.#front < cutLength) return;
    this.#places.splice(0, this.#front);
    this.#front = 0;
  }
}
