/** Up to which number chunks were written when the partition was as late as `latestMs`. */
type Mark = readonly [throughNumber: number, latestMs: number];

/** Numbers of chunks that stand on the topic, and about how old they are. */
export interface KeptChunks {
  readonly first: number;
  readonly next: number;
  readonly marks: readonly Mark[];
}

/** Chunks that one transaction forgets at most. */
const mostForgotten = 1_000;

/** Which chunks of ids stand on the topic, so that those that are too old can be removed from it. Some hundred marks, however many chunks. */
export class ChunkMarks {
  readonly #stepMs: number;
  #first: number;
  #next: number;
  #marks: Mark[];
  /** Latest time with which the last mark goes on. */
  #goesOnMs: number;

  /** @param stepMs how much longer than necessary a chunk may stand there. */
  constructor(stepMs: number, kept: KeptChunks = { first: 0, next: 0, marks: [] }) {
    this.#stepMs = stepMs;
    this.#first = kept.first;
    this.#next = kept.next;
    this.#marks = [...kept.marks];
    this.#goesOnMs = this.latestMs + stepMs;
  }

  /** Number of the next chunk. */
  get next(): number {
    return this.#next;
  }

  /** How late the partition was at the last chunk. */
  get latestMs(): number {
    return this.#marks.at(-1)?.[1] ?? 0;
  }

  get kept(): KeptChunks {
    return { first: this.#first, next: this.#next, marks: this.#marks };
  }

  /** A chunk stands there, with a number behind those before. */
  add(number: number, latestMs: number): void {
    // Read back from the topic it may be any number: those before it have left.
    if (this.#marks.length === 0) this.#first = Math.max(this.#first, number);
    if (this.#marks.length > 0 && latestMs <= this.#goesOnMs) this.#marks.pop();
    else this.#goesOnMs = latestMs + this.#stepMs;
    this.#marks.push([number, latestMs]);
    this.#next = Math.max(this.#next, number + 1);
  }

  /** Numbers of the oldest chunks whose ids are all older than `limitMs`, some at a time. */
  overdue(limitMs: number): readonly number[] {
    const through = this.#marks.findLast(([, latestMs]) => latestMs < limitMs)?.[0] ?? -1;
    const length = Math.max(0, Math.min(mostForgotten, through - this.#first + 1));
    return Array.from({ length }, (_, index) => this.#first + index);
  }

  /** Chunks do not stand there any more, nor do those before them. */
  forget(numbers: readonly number[]): void {
    for (const number of numbers) this.#first = Math.max(this.#first, number + 1);
    this.#next = Math.max(this.#next, this.#first);
    const kept = this.#marks.findIndex(([throughNumber]) => throughNumber >= this.#first);
    // The last one says how late the partition is.
    this.#marks.splice(0, kept < 0 ? this.#marks.length - 1 : kept);
  }
}
