import type { Change, EntryTable } from './entry-table.ts';
import { RecentValues } from './recent-values.ts';

/** How values of a state become bytes and back. */
export interface ValueCodec<V> {
  encode(value: V): Uint8Array;
  decode(bytes: Uint8Array): V;
  /** What tells one way of writing from another. */
  readonly schema?: string;
}

/** What the logic of a consumer keeps from one event to the next, by key; values are never changed in place. */
export interface State<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  /** Removes a key: a tombstone on the changelog. */
  delete(key: string): void;
  /**
   * The next keys behind `after` in order, at most `limit`, with their values; `undefined` for one that is about to go. Those of the last
   * seconds may be left out, so fewer than `limit` are the last.
   */
  page(after: string, limit: number): readonly (readonly [key: string, value: V | undefined])[];
  /** All keys and values, in no particular order. */
  entries(): Iterable<readonly [key: string, value: V]>;
}

/** Values that are kept decoded. */
const cachedValues = 10_000;

/**
 * The state of one partition, larger than memory: what is committed lies in the snapshot, what is not is held until the transaction
 * has ended.
 */
export class StateStore<V> implements State<V> {
  readonly #table: EntryTable;
  readonly #codec: ValueCodec<V>;
  /** Changes of the transaction that is being made. */
  readonly #open = new Map<string, V | null>();
  /** Committed changes that the snapshot has not got yet. */
  readonly #unwritten = new Map<string, Uint8Array | null>();
  /** Committed values. */
  readonly #cache: RecentValues<V>;

  constructor(table: EntryTable, codec: ValueCodec<V>, cacheLimit = cachedValues) {
    this.#table = table;
    this.#codec = codec;
    this.#cache = new RecentValues(cacheLimit);
  }

  get(key: string): V | undefined {
    const changed = this.#open.get(key);
    if (changed !== undefined) return changed ?? undefined;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    const unwritten = this.#unwritten.get(key);
    const bytes = unwritten === undefined ? this.#table.get(key) : unwritten;
    if (bytes === undefined || bytes === null) return undefined;
    const value = this.#codec.decode(bytes);
    this.#cache.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.#open.set(key, value);
  }

  delete(key: string): void {
    this.#open.set(key, null);
  }

  page(after: string, limit: number): readonly (readonly [key: string, value: V | undefined])[] {
    return this.#table.page(after, limit).map(([key, bytes]) => {
      return [key, this.#isChanged(key) ? this.get(key) : this.#codec.decode(bytes)];
    });
  }

  #isChanged(key: string): boolean {
    return this.#open.has(key) || this.#unwritten.has(key);
  }

  *entries(): Generator<readonly [key: string, value: V]> {
    for (const [key, value] of this.#open) if (value !== null) yield [key, value];
    for (const [key, bytes] of this.#unwritten) {
      if (bytes !== null && !this.#open.has(key)) yield [key, this.#codec.decode(bytes)];
    }
    for (const [key, bytes] of this.#table.entries()) {
      if (!this.#open.has(key) && !this.#unwritten.has(key)) yield [key, this.#codec.decode(bytes)];
    }
  }

  /** What the transaction that is being made changes, for the changelog. */
  changes(): readonly Change[] {
    return Array.from(this.#open, ([key, value]): Change => [key, value === null ? null : this.#codec.encode(value)]);
  }

  /** The transaction with `changes` has been committed. */
  committed(changes: readonly Change[]): void {
    for (const [key, bytes] of changes) {
      this.#unwritten.set(key, bytes);
      const value = this.#open.get(key);
      if (value === null || value === undefined) this.#cache.delete(key);
      else this.#cache.set(key, value);
    }
    this.#open.clear();
  }

  /** Committed changes that wait for the next `flush`. */
  get unwritten(): number {
    return this.#unwritten.size;
  }

  /** Writes what is committed to the table. To be called within an update of the snapshot; `flushed` says that it was done. */
  flush(): void {
    this.#table.write(this.#unwritten);
  }

  flushed(): void {
    this.#unwritten.clear();
  }
}
