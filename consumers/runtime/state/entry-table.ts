import type { StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { type Snapshot, SnapshotDamagedError } from './snapshot.ts';

/** What becomes of a key: a value, or `null` when it is removed. */
export type Change = readonly [key: string, value: Uint8Array | null];

/** The entries of a snapshot by key; each has a checksum that is looked at when it is read. */
export class EntryTable {
  readonly #snapshot: Snapshot;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #all: StatementSync;
  readonly #page: StatementSync;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    const { database } = snapshot;
    database.exec(
      'CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID',
    );
    this.#select = database.prepare('SELECT value, checksum FROM entries WHERE key = ?');
    this.#upsert = database.prepare('INSERT OR REPLACE INTO entries (key, value, checksum) VALUES (?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM entries WHERE key = ?');
    this.#all = database.prepare('SELECT key, value, checksum FROM entries ORDER BY key');
    this.#page = database.prepare('SELECT key, value, checksum FROM entries WHERE key > ? ORDER BY key LIMIT ?');
  }

  /** @throws {SnapshotDamagedError} */
  get(key: string): Uint8Array | undefined {
    const row = this.#snapshot.guard(() => this.#select.get(key));
    return row === undefined ? undefined : this.#checked(key, row);
  }

  /** The entries behind the key `after`, in order, at most `limit`. @throws {SnapshotDamagedError} */
  page(after: string, limit: number): readonly (readonly [key: string, value: Uint8Array])[] {
    const rows = this.#snapshot.guard(() => this.#page.all(after, limit));
    return rows.map((row) => [String(row['key']), this.#checked(String(row['key']), row)]);
  }

  /** All entries in the order of their keys; nothing may be written meanwhile. @throws {SnapshotDamagedError} */
  *entries(): Generator<readonly [key: string, value: Uint8Array]> {
    const rows = this.#snapshot.guard(() => this.#all.iterate());
    for (;;) {
      const { done, value: row } = this.#snapshot.guard(() => rows.next());
      if (done === true) return;
      const key = String(row['key']);
      yield [key, this.#checked(key, row)];
    }
  }

  /** To be called within an update of the snapshot. */
  write(changes: Iterable<Change>): void {
    for (const [key, value] of changes) {
      if (value === null) this.#delete.run(key);
      else this.#upsert.run(key, value, checksumOf(key, value));
    }
  }

  #checked(key: string, { value, checksum }: Readonly<Record<string, unknown>>): Uint8Array {
    if (value instanceof Uint8Array && checksum === checksumOf(key, value)) return value;
    throw new SnapshotDamagedError(`${this.#snapshot.path}: the entry ${key} is not what was written`);
  }
}

function checksumOf(key: string, value: Uint8Array): number {
  return crc32(value, crc32(key));
}
