import type { Change } from './entry-table.ts';
import { EntryTable } from './entry-table.ts';
import { type SeenChange, SeenIds } from './seen/seen-ids.ts';
import { type SeenChunk, SeenTable } from './seen/seen-table.ts';
import { type Positions, type Snapshot, SnapshotDamagedError } from './snapshot.ts';
import { StateStore, type ValueCodec } from './state-store.ts';

/** What stands on the topics of a partition's state, to be put into its snapshot. */
export interface Restored {
  readonly changes: readonly Change[];
  readonly chunks: readonly SeenChunk[];
  /** Numbers of chunks that are too old to be asked for. */
  readonly forgotten: readonly number[];
}

/** What a transaction changes. */
export interface CopyChange {
  readonly changes: readonly Change[];
  readonly seen: SeenChange;
}

/** Committed changes that are gathered before they go to the snapshot: many at a time cost a fifth of what each by itself does. */
const flushAtChanges = 50_000;
/** How old what the snapshot lacks may become, so that it is not much behind when the process is killed. */
const flushAfterMs = 30_000;

/** The state of a partition and the ids that were seen, in a snapshot that follows their topics. */
export class LocalCopy<V> implements Disposable {
  readonly #snapshot: Snapshot;
  readonly #entries: EntryTable;
  readonly #seenTable: SeenTable;
  readonly #codec: ValueCodec<V>;
  #positions: Map<string, number>;
  #open: { readonly state: StateStore<V>; readonly seen: SeenIds } | undefined;
  #unflushed = 0;
  #flushedMs: number;

  /** @param horizonMs how long an id is known. */
  constructor(snapshot: Snapshot, codec: ValueCodec<V>, horizonMs: number, nowMs: number) {
    this.#snapshot = snapshot;
    this.#entries = new EntryTable(snapshot);
    this.#seenTable = new SeenTable(snapshot, horizonMs);
    this.#codec = codec;
    this.#positions = new Map(snapshot.positions);
    this.#flushedMs = nowMs;
  }

  /** Up to which offset of each topic it has all records. */
  get positions(): Positions {
    return this.#positions;
  }

  /** Takes what was read of `topic` before the offset `next`. To be called before `use`. */
  restore(restored: Restored, topic: string, next: number): void {
    this.#positions.set(topic, next);
    // Not as of now: what is still missing may be old, and its tombstones may leave the topic before it is read.
    this.#snapshot.update(new Map(this.#positions), this.#snapshot.writtenAtMs ?? this.#flushedMs, () => {
      this.#entries.write(restored.changes);
      this.#seenTable.restore(restored.chunks, restored.forgotten);
    });
  }

  /** All that stands on the topics at `nowMs` has been taken. */
  restored(nowMs: number): void {
    if (this.#positions.size > 0) this.#snapshot.update(new Map(this.#positions), nowMs, () => undefined);
    this.#flushedMs = nowMs;
  }

  get #used(): { readonly state: StateStore<V>; readonly seen: SeenIds } {
    this.#open ??= {
      state: new StateStore(this.#entries, this.#codec),
      seen: new SeenIds(this.#seenTable),
    };
    return this.#open;
  }

  get state(): StateStore<V> {
    return this.#used.state;
  }

  get seen(): SeenIds {
    return this.#used.seen;
  }

  /** What the transaction that is being made changes. */
  change(): CopyChange {
    return { changes: this.state.changes(), seen: this.seen.change() };
  }

  /**
   * The transaction with `change` has been committed.
   *
   * @param written offset behind what it has written, by topic; topics whose offset nobody knows are left out, and read again.
   */
  committed({ changes, seen }: CopyChange, written: Positions, nowMs: number): void {
    this.state.committed(changes);
    this.seen.committed(seen);
    for (const [topic, next] of written) this.#positions.set(topic, next);
    this.#unflushed += changes.length + (seen.added === undefined ? 0 : seen.added.timesMs.length);
    if (this.#unflushed >= flushAtChanges || (this.#unflushed > 0 && nowMs >= this.#flushedMs + flushAfterMs)) {
      this.flush(nowMs);
    }
  }

  /** Puts what is committed into the snapshot. */
  flush(nowMs: number): void {
    const { state, seen } = this.#used;
    this.#snapshot.update(new Map(this.#positions), nowMs, () => {
      state.flush();
      seen.flush();
    });
    state.flushed();
    seen.flushed();
    this.#unflushed = 0;
    this.#flushedMs = nowMs;
  }

  /** Closes the snapshot, which goes as far as the last flush. */
  [Symbol.dispose](): void {
    this.#snapshot[Symbol.dispose]();
  }

  /** Closes the snapshot because of `error`; one that is damaged is removed. */
  giveUp(error: unknown): void {
    if (error instanceof SnapshotDamagedError) this.discard();
    else this[Symbol.dispose]();
  }

  /** Removes the snapshot: the next one is made of the topics. */
  discard(): void {
    this.#snapshot.discard();
  }
}
