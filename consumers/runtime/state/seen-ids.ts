import { IdFilter } from './id-filter.ts';
import { digitsOf, partsIn, partsOf } from './id-parts.ts';
import type { SeenChunk, SeenTable } from './seen-table.ts';

/** What a transaction changes about the ids that are known. */
export interface SeenChange {
  /** Ids that were taken; `undefined` when there were none. */
  readonly added: SeenChunk | undefined;
  /** Numbers of chunks that are too old to be asked for. */
  readonly forgotten: readonly number[];
}

/** Chunks that one transaction forgets at most. */
const mostForgotten = 1_000;

/**
 * Which events of a partition have been taken. The latest time of those is how late the partition is; an event is a repeat when one
 * with its id was taken at most `horizonMs` before. So what is a repeat follows from the events and their order alone, not from when
 * they were handled, nor from how they were put into transactions.
 */
export class SeenIds {
  readonly #table: SeenTable;
  readonly #horizonMs: number;
  readonly #filter = new IdFilter();
  /** When ids were taken that the table has not got yet, by their digits. */
  readonly #recent = new Map<string, number>();
  #unwritten: SeenChange[] = [];
  /** Oldest first, from `#firstChunk` on; those before it are forgotten. */
  #chunks: Pick<SeenChunk, 'number' | 'latestMs'>[] = [];
  #firstChunk = 0;
  #openIds: string[] = [];
  #openTimesMs: number[] = [];
  #latestMs: number;
  #committedLatestMs: number;

  constructor(table: SeenTable, horizonMs: number) {
    this.#table = table;
    this.#horizonMs = horizonMs;
    const chunks: Pick<SeenChunk, 'number' | 'latestMs'>[] = [];
    for (const { number, latestMs, ids } of table.chunks()) {
      chunks.push({ number, latestMs });
      for (const { high, low } of partsIn(ids)) this.#filter.add(high, low, latestMs);
    }
    this.#chunks = chunks;
    this.#latestMs = this.#chunks.at(-1)?.latestMs ?? 0;
    this.#committedLatestMs = this.#latestMs;
  }

  /** Takes the event with `id` of `timeMs`, epoch milliseconds; false when it is a repeat. */
  take(id: string, timeMs: number): boolean {
    const latestMs = Math.max(this.#latestMs, timeMs);
    const digits = digitsOf(id);
    const known = this.#recent.get(digits) ?? this.#knownBefore(digits);
    if (known !== undefined && known >= latestMs - this.#horizonMs) return false;
    this.#latestMs = latestMs;
    this.#recent.set(digits, latestMs);
    this.#openIds.push(digits);
    this.#openTimesMs.push(latestMs);
    return true;
  }

  /** What the transaction that is being made changes, for the topic. */
  change(): SeenChange {
    const limitMs = this.#latestMs - this.#horizonMs;
    const forgotten: number[] = [];
    for (let index = this.#firstChunk; forgotten.length < mostForgotten; index += 1) {
      const chunk = this.#chunks[index];
      if (chunk === undefined || chunk.latestMs >= limitMs) break;
      forgotten.push(chunk.number);
    }
    return { added: this.#openIds.length === 0 ? undefined : this.#openChunk(), forgotten };
  }

  /** The transaction with `change` has been committed. */
  committed(change: SeenChange): void {
    const { added, forgotten } = change;
    // The oldest ones, as `change` has found them.
    this.#firstChunk += forgotten.length;
    if (this.#firstChunk > mostForgotten && 2 * this.#firstChunk > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#firstChunk);
      this.#firstChunk = 0;
    }
    if (added !== undefined) this.#chunks.push({ number: added.number, latestMs: added.latestMs });
    this.#unwritten.push(change);
    this.#openIds = [];
    this.#openTimesMs = [];
    this.#committedLatestMs = this.#latestMs;
  }

  /** The transaction has been aborted: what it took has not been taken. */
  aborted(): void {
    for (const digits of this.#openIds) this.#recent.delete(digits);
    this.#openIds = [];
    this.#openTimesMs = [];
    this.#latestMs = this.#committedLatestMs;
  }

  /** Writes what is committed to the table. To be called within an update of the snapshot; `flushed` says that it was done. */
  flush(): void {
    this.#table.addChunks(this.#unwritten.flatMap(({ added }) => added ?? []));
    for (const { forgotten } of this.#unwritten) for (const number of forgotten) this.#table.forget(number);
  }

  flushed(): void {
    for (const { added } of this.#unwritten) {
      for (const { high, low } of added === undefined ? [] : partsIn(added.ids)) {
        this.#filter.add(high, low, added?.latestMs ?? 0);
      }
    }
    this.#filter.forgetBefore(this.#committedLatestMs - this.#horizonMs);
    this.#unwritten = [];
    this.#recent.clear();
    this.#openIds.forEach((digits, index) => void this.#recent.set(digits, this.#openTimesMs[index] ?? 0));
  }

  #knownBefore(digits: string): number | undefined {
    const parts = partsOf(digits);
    return this.#filter.mayHave(parts.high, parts.low) ? this.#table.timeOf(parts) : undefined;
  }

  #openChunk(): SeenChunk {
    return {
      number: (this.#chunks.at(-1)?.number ?? -1) + 1,
      latestMs: this.#openTimesMs.at(-1) ?? 0,
      ids: Buffer.from(this.#openIds.join(''), 'hex'),
      timesMs: this.#openTimesMs,
    };
  }
}
