import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError, messageOf } from '../../../lib/errors.ts';

/** What a snapshot is a copy of. */
export interface SnapshotOf {
  /** Kafka's id of the cluster. */
  readonly clusterId: string;
  /** Topics whose records of one partition are in it. */
  readonly topics: readonly string[];
  readonly partition: number;
  /** What the values are written with: a copy of another schema cannot be read. */
  readonly schema?: string;
}

/** Offsets of the topics, by name, before which all records are in a snapshot. */
export type Positions = ReadonlyMap<string, number>;

/** A snapshot that is not what was written; the topics have the same, and rebuild it. */
export class SnapshotDamagedError extends AppError {
  override readonly name = 'SnapshotDamagedError';
  readonly code = 'SNAPSHOT_DAMAGED';
  readonly retryable = true;
}

/** Number of the layout of the file; one of another layout is thrown away. */
const layout = 2;
const cachePages = 2_000;

/**
 * One partition's state in a file of SQLite, and how far it goes.
 *
 * It is a copy that only saves time: updates do not wait for the disk, so a machine that loses power may lose the last of them, and
 * what they were of is read from the topics again. A process that is killed loses nothing.
 */
export class Snapshot implements Disposable {
  readonly path: string;
  readonly #database: DatabaseSync;
  #positions: Positions;
  #writtenAtMs: number | undefined;

  private constructor(path: string, database: DatabaseSync, positions: Positions, writtenAtMs?: number) {
    this.path = path;
    this.#database = database;
    this.#positions = positions;
    this.#writtenAtMs = writtenAtMs;
  }

  /**
   * Opens the snapshot at `path`. One that is missing, damaged, of another partition or last written before `oldestMs` is begun
   * anew; `onDiscard` is told why, unless there was none.
   *
   * @throws {SnapshotDamagedError} when there can be none at this place.
   * @param oldestMs epoch milliseconds: tombstones of before may have left the topic, so that an older copy would keep what was removed.
   */
  static open(path: string, of: SnapshotOf, oldestMs: number, onDiscard: (why: string) => void): Snapshot {
    try {
      return Snapshot.#open(path, of, oldestMs, onDiscard);
    } catch (error) {
      // Whatever files and SQLite fail with: a folder that cannot be written, a disk that is full.
      if (!(error instanceof Error && 'code' in error) || error instanceof AppError) throw error;
      throw new SnapshotDamagedError(`${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  static #open(path: string, of: SnapshotOf, oldestMs: number, onDiscard: (why: string) => void): Snapshot {
    mkdirSync(dirname(path), { recursive: true });
    const identity = JSON.stringify([layout, of.clusterId, of.topics, of.partition, of.schema]);
    const existing = openExisting(path, identity, oldestMs);
    if (existing instanceof DatabaseSync)
      return new Snapshot(path, existing, positionsIn(existing), writtenAtMsIn(existing));
    if (existing !== undefined) onDiscard(existing);
    remove(path);
    const database = new DatabaseSync(path);
    prepare(database);
    database.prepare("INSERT INTO meta (name, value) VALUES ('identity', ?)").run(identity);
    return new Snapshot(path, database, new Map());
  }

  /** How far it goes; empty for a new one. */
  get positions(): Positions {
    return this.#positions;
  }

  /** As of when it has all that its topics have, epoch milliseconds; `undefined` for a new one. */
  get writtenAtMs(): number | undefined {
    return this.#writtenAtMs;
  }

  /** For those who keep tables in it. */
  get database(): DatabaseSync {
    return this.#database;
  }

  /** Does what `write` writes, all or nothing, and goes as far as `positions` then, as of `nowMs`. @throws {SnapshotDamagedError} */
  update(positions: Positions, nowMs: number, write: () => void): void {
    this.guard(() => {
      const mark = this.#database.prepare('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)');
      this.#database.exec('BEGIN');
      try {
        write();
        mark.run('positions', JSON.stringify([...positions]));
        mark.run('writtenAtMs', nowMs);
        this.#database.exec('COMMIT');
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
    this.#positions = positions;
    this.#writtenAtMs = nowMs;
  }

  /** Runs what reads or writes tables of it. @throws {SnapshotDamagedError} for what SQLite finds damaged. */
  guard<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      if (!isDamage(error)) throw error;
      throw new SnapshotDamagedError(`${this.path}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Closes it and removes the file. */
  discard(): void {
    this[Symbol.dispose]();
    remove(this.path);
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/** The database at `path` when it can be gone on with, else why it cannot; `undefined` when there was none. */
function openExisting(path: string, identity: string, oldestMs: number): DatabaseSync | string | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    prepare(database);
    const why = unfit(database, identity, oldestMs);
    if (why === undefined) return database;
    database.close();
    return why === neverWritten ? undefined : why;
  } catch (error) {
    if (database?.isOpen === true) database.close();
    if (!isDamage(error)) throw error;
    return `it is damaged: ${messageOf(error)}`;
  }
}

function prepare(database: DatabaseSync): void {
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = ${cachePages};
    CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
  `);
}

const neverWritten = 'nothing was written to it';

function unfit(database: DatabaseSync, identity: string, oldestMs: number): string | undefined {
  const meta = metaOf(database);
  if (!meta.has('positions')) return neverWritten;
  if (meta.get('identity') !== identity) return 'it is of another cluster, partition or version';
  if (Number(meta.get('writtenAtMs')) < oldestMs) return 'it is too old';
  const [found] = database.prepare('PRAGMA quick_check(1)').all();
  return found?.['quick_check'] === 'ok' ? undefined : `it is damaged: ${String(found?.['quick_check'])}`;
}

function metaOf(database: DatabaseSync): ReadonlyMap<string, unknown> {
  const rows = database.prepare('SELECT name, value FROM meta').all();
  return new Map(rows.map((row) => [String(row['name']), row['value']]));
}

function positionsIn(database: DatabaseSync): Positions {
  return new Map(JSON.parse(String(metaOf(database).get('positions'))) as [string, number][]);
}

function writtenAtMsIn(database: DatabaseSync): number {
  return Number(metaOf(database).get('writtenAtMs'));
}

function remove(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}

/**
 * SQLITE_READONLY, SQLITE_IOERR (a file that was cut), SQLITE_CORRUPT, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_FORMAT, SQLITE_NOTADB; the low
 * byte is the primary code.
 */
const damageCodes = new Set([8, 10, 11, 13, 14, 24, 26]);

function isDamage(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && damageCodes.has(Number(error.errcode) & 0xff);
}
