import { idBytes, writeId } from './event-id.ts';
import { RecentIds } from './recent-ids.ts';
import type { SeenChunk, SeenTable } from './seen-table.ts';

/** What a transaction changes about the ids that are known. */
export interface SeenChange {
  /** Ids that were taken; `undefined` when there were none. */
  readonly added: SeenChunk | undefined;
  /** Numbers of chunks that are too old to be asked for. */
  readonly forgotten: readonly number[];
}

/**
 * Which events of a partition have been taken. The latest time of those is how late the partition is; an event is a repeat when one
 * with its id was taken at most the table's horizon before. So what is a repeat follows from the events and their order alone, not from
 * when they were handled, nor from how they were put into transactions.
 */
export class SeenIds {
  readonly #table: SeenTable;
  /** Ids that the table has not got yet: first those that are committed, then those of the transaction that is being made. */
  readonly #recent = new RecentIds();
  #committed = 0;
  #latestMs: number;
  readonly #id = new Uint8Array(idBytes);

  constructor(table: SeenTable) {
    this.#table = table;
    this.#latestMs = table.chunks.latestMs;
  }

  /** Whether no event has been taken, however long ago. */
  get isEmpty(): boolean {
    return this.#latestMs === 0;
  }

  /** Takes the event with `id` of `timeMs`, epoch milliseconds; false when it is a repeat. */
  take(id: string, timeMs: number): boolean {
    const latestMs = Math.max(this.#latestMs, timeMs);
    writeId(id, this.#id);
    const place = this.#recent.find(this.#id);
    const known = this.#recent.timeAt(place) ?? this.#table.runs.timeOf(this.#id);
    if (known !== undefined && known >= latestMs - this.#table.horizonMs) return false;
    this.#latestMs = latestMs;
    this.#recent.add(this.#id, place, latestMs);
    return true;
  }

  /** What the transaction that is being made changes, for the topic. */
  change(): SeenChange {
    const { chunks, horizonMs } = this.#table;
    const { count } = this.#recent;
    return {
      added:
        count === this.#committed ? undefined : { number: chunks.next, ...this.#recent.slice(this.#committed, count) },
      forgotten: chunks.overdue(this.#latestMs - horizonMs),
    };
  }

  /** The transaction with `change` has been committed. */
  committed({ added, forgotten }: SeenChange): void {
    const { chunks } = this.#table;
    if (added !== undefined) chunks.add(added.number, added.timesMs[added.timesMs.length - 1] ?? 0);
    chunks.forget(forgotten);
    this.#committed = this.#recent.count;
  }

  /** Writes what is committed to the table. To be called within an update of the snapshot; `flushed` says that it was done. */
  flush(): void {
    this.#table.keep([this.#recent.slice(0, this.#committed)]);
  }

  flushed(): void {
    this.#recent.dropBefore(this.#committed);
    this.#committed = 0;
  }
}
