import type { StatementSync } from 'node:sqlite';
import { type IdParts, partsIn } from './id-parts.ts';
import type { Snapshot } from './snapshot.ts';

/** Ids of events that were taken in one transaction. */
export interface SeenChunk {
  /** Ascends from one transaction to the next. */
  readonly number: number;
  /** The last of `timesMs`. */
  readonly latestMs: number;
  /** Digits of the ids, as bytes, one after the other. */
  readonly ids: Buffer;
  /** How late the partition was when they were taken, epoch milliseconds, ascending. */
  readonly timesMs: readonly number[];
}

/**
 * The ids of a snapshot, found by id and forgotten by chunk. The key is half of an id: of two that share it, once in many years,
 * the later one is kept, so that at worst a repeat is taken for new.
 */
export class SeenTable {
  readonly #snapshot: Snapshot;
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #insertChunk: StatementSync;
  readonly #removeChunk: StatementSync;
  readonly #chunk: StatementSync;
  readonly #all: StatementSync;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    const { database } = snapshot;
    database.exec(`
      CREATE TABLE IF NOT EXISTS seen (high INTEGER PRIMARY KEY, low INTEGER NOT NULL, timeMs INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS chunks (number INTEGER PRIMARY KEY, latestMs INTEGER NOT NULL, ids BLOB NOT NULL);
    `);
    this.#find = database.prepare('SELECT low, timeMs FROM seen WHERE high = ?');
    this.#insert = database.prepare('INSERT OR REPLACE INTO seen (high, low, timeMs) VALUES (?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM seen WHERE high = ? AND timeMs <= ?');
    this.#insertChunk = database.prepare('INSERT OR REPLACE INTO chunks (number, latestMs, ids) VALUES (?, ?, ?)');
    this.#removeChunk = database.prepare('DELETE FROM chunks WHERE number = ?');
    this.#chunk = database.prepare('SELECT latestMs, ids FROM chunks WHERE number = ?');
    this.#all = database.prepare('SELECT number, latestMs, ids FROM chunks ORDER BY number');
  }

  /** How late the partition was when an event with this id was taken. @throws {SnapshotDamagedError} */
  timeOf({ high, low }: IdParts): number | undefined {
    const row = this.#snapshot.guard(() => this.#find.get(high));
    return row?.['low'] === low ? Number(row['timeMs']) : undefined;
  }

  /** All chunks in the order in which they were made; of times only the last. @throws {SnapshotDamagedError} */
  *chunks(): Generator<Omit<SeenChunk, 'timesMs' | 'ids'> & { readonly ids: Uint8Array }> {
    const rows = this.#snapshot.guard(() => this.#all.iterate());
    for (;;) {
      const { done, value: row } = this.#snapshot.guard(() => rows.next());
      if (done === true) return;
      yield { number: Number(row['number']), latestMs: Number(row['latestMs']), ids: row['ids'] as Uint8Array };
    }
  }

  /** To be called within an update of the snapshot, as are the others that write. */
  addChunks(chunks: readonly SeenChunk[]): void {
    const rows: (IdParts & { readonly timeMs: number })[] = [];
    for (const { number, latestMs, ids, timesMs } of chunks) {
      let index = 0;
      for (const { high, low } of partsIn(ids)) rows.push({ high, low, timeMs: timesMs[index++] ?? latestMs });
      this.#insertChunk.run(number, latestMs, ids);
    }
    // In the order of the tree, which touches each of its pages once; of equal ones the later wins.
    rows.sort((one, other) => one.high - other.high || one.timeMs - other.timeMs);
    for (const { high, low, timeMs } of rows) this.#insert.run(high, low, timeMs);
  }

  /** Forgets the ids of a chunk. */
  forget(number: number): void {
    const row = this.#chunk.get(number);
    if (row === undefined) return;
    const latestMs = Number(row['latestMs']);
    // An id that was taken again since has a later time.
    for (const { high } of partsIn(row['ids'] as Uint8Array)) this.#remove.run(high, latestMs);
    this.#removeChunk.run(number);
  }
}
