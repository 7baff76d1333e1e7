import type { StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { type Snapshot, SnapshotDamagedError } from '../snapshot.ts';
import { BloomFilter } from './bloom-filter.ts';
import { bitsAt, idBytes, isIdAt } from './event-id.ts';
import type { IdBatch } from './recent-ids.ts';

interface Run {
  readonly number: number;
  readonly count: number;
  /** The latest time of an id in it. */
  readonly latestMs: number;
  /** Its pages are 2 to this many. */
  readonly pageBits: number;
  readonly filter: BloomFilter;
}

/** An id and its time, as a double. */
const entryBytes = idBytes + 8;
const entriesOfPage = 128;
/** Runs of about the same size that become one. */
const runsToMerge = 8;
/** Larger ones stay by themselves: what becomes one is at most eight times as large, and takes some tenths of a second. */
const mostToMerge = 2 ** 17;
/** Numbers of pages of one run. */
const pagesOfRun = 2 ** 24;

/**
 * Ids in the snapshot: runs that are written once, their ids shared out to pages by their bits, so that one is found with a filter in
 * memory and one read. Small runs become larger ones, and what is too old goes with its run. An id that stands in several has the time
 * of the newest.
 */
export class IdRuns {
  readonly #snapshot: Snapshot;
  readonly #runs: Run[];
  readonly #insertRun: StatementSync;
  readonly #removeRun: StatementSync;
  readonly #insertPage: StatementSync;
  readonly #removePages: StatementSync;
  readonly #page: StatementSync;
  readonly #pages: StatementSync;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    const { database } = snapshot;
    database.exec(`
      CREATE TABLE IF NOT EXISTS seen_runs (number INTEGER PRIMARY KEY, count INTEGER NOT NULL, latestMs INTEGER NOT NULL,
        pageBits INTEGER NOT NULL, filter BLOB NOT NULL, checksum INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS seen_pages (number INTEGER PRIMARY KEY, entries BLOB NOT NULL, checksum INTEGER NOT NULL);
    `);
    this.#insertRun = database.prepare('INSERT INTO seen_runs VALUES (?, ?, ?, ?, ?, ?)');
    this.#removeRun = database.prepare('DELETE FROM seen_runs WHERE number = ?');
    this.#insertPage = database.prepare('INSERT INTO seen_pages VALUES (?, ?, ?)');
    this.#removePages = database.prepare('DELETE FROM seen_pages WHERE number >= ? AND number < ?');
    this.#page = database.prepare('SELECT number, entries, checksum FROM seen_pages WHERE number = ?');
    this.#pages = database.prepare('SELECT number, entries, checksum FROM seen_pages WHERE number >= ? AND number < ?');
    const rows = snapshot.guard(() => database.prepare('SELECT * FROM seen_runs ORDER BY number').all());
    this.#runs = rows.map((row) => this.#runOf(row));
  }

  /** When `id` was taken last. @throws {SnapshotDamagedError} */
  timeOf(id: Uint8Array): number | undefined {
    for (let index = this.#runs.length - 1; index >= 0; index -= 1) {
      const run = this.#runs[index] as Run;
      if (!run.filter.mayHave(id)) continue;
      const timeMs = this.#timeIn(run, id);
      if (timeMs !== undefined) return timeMs;
    }
    return undefined;
  }

  /** Adds ids that are later than those it has. To be called within an update of the snapshot, as are the others that write. */
  add(batches: readonly IdBatch[]): void {
    const count = batches.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
    if (count === 0) return;
    const entries = Buffer.allocUnsafe(count * entryBytes);
    let at = 0;
    for (const { ids, timesMs } of batches) {
      for (let index = 0; index < timesMs.length; index += 1) {
        entries.set(ids.subarray(index * idBytes, (index + 1) * idBytes), at);
        entries.writeDoubleLE(timesMs[index] as number, at + idBytes);
        at += entryBytes;
      }
    }
    const last = batches.findLast(({ timesMs }) => timesMs.length > 0)?.timesMs;
    this.#write(entries, last?.[last.length - 1] ?? 0);
    for (let small = this.#toMerge(); small.length > 0; small = this.#toMerge()) this.#merge(small);
  }

  /** Forgets runs whose ids are all older than `limitMs`. */
  forgetBefore(limitMs: number): void {
    while ((this.#runs[0]?.latestMs ?? limitMs) < limitMs) this.#remove(this.#runs.shift() as Run);
  }

  /** The last runs, when there are enough of about the size of the last. */
  #toMerge(): readonly Run[] {
    const tierOf = ({ count }: Run): number => Math.floor(Math.log2(count) / Math.log2(runsToMerge));
    const last = this.#runs.at(-1);
    if (last === undefined) return [];
    const begin = this.#runs.findLastIndex((run) => tierOf(run) > tierOf(last) || run.count > mostToMerge) + 1;
    return this.#runs.length - begin < runsToMerge ? [] : this.#runs.slice(begin);
  }

  #merge(runs: readonly Run[]): void {
    const pages = runs.flatMap(({ number }) => this.#pages.all(number * pagesOfRun, (number + 1) * pagesOfRun));
    const latestMs = runs.at(-1)?.latestMs ?? 0;
    for (const run of runs) this.#remove(run);
    this.#runs.splice(-runs.length);
    this.#write(Buffer.concat(pages.map((page) => this.#checked(page))), latestMs);
  }

  #remove({ number }: Run): void {
    this.#removePages.run(number * pagesOfRun, (number + 1) * pagesOfRun);
    this.#removeRun.run(number);
  }

  #write(entries: Buffer, latestMs: number): void {
    const count = entries.length / entryBytes;
    const pageBits = Math.max(0, Math.ceil(Math.log2(count / entriesOfPage)));
    const filter = BloomFilter.for(count);
    const ends = new Uint32Array(2 ** pageBits);
    for (let at = 0; at < entries.length; at += entryBytes) {
      filter.add(entries, at);
      const page = pageOf(entries, at, pageBits);
      ends[page] = (ends[page] as number) + 1;
    }
    for (let page = 1; page < ends.length; page += 1) ends[page] = (ends[page] as number) + (ends[page - 1] as number);
    const sorted = Buffer.allocUnsafe(entries.length);
    // From the last one, so that each page has its entries in their order.
    const begins = ends.slice();
    for (let at = entries.length - entryBytes; at >= 0; at -= entryBytes) {
      const page = pageOf(entries, at, pageBits);
      begins[page] = (begins[page] as number) - 1;
      entries.copy(sorted, (begins[page] as number) * entryBytes, at, at + entryBytes);
    }
    const number = (this.#runs.at(-1)?.number ?? -1) + 1;
    for (let page = 0; page < ends.length; page += 1) {
      const some = sorted.subarray((begins[page] as number) * entryBytes, (ends[page] as number) * entryBytes);
      this.#insertPage.run(number * pagesOfRun + page, some, crc32(some));
    }
    this.#insertRun.run(number, count, latestMs, pageBits, filter.bytes, crc32(filter.bytes));
    this.#runs.push({ number, count, latestMs, pageBits, filter });
  }

  #timeIn({ number, pageBits }: Run, id: Uint8Array): number | undefined {
    const row = this.#snapshot.guard(() => this.#page.get(number * pagesOfRun + pageOf(id, 0, pageBits)));
    if (row === undefined) throw this.#damaged(`run ${number} misses a page`);
    const entries = this.#checked(row);
    for (let at = entries.length - entryBytes; at >= 0; at -= entryBytes) {
      if (isIdAt(entries, at, id)) return Buffer.from(entries.buffer, entries.byteOffset).readDoubleLE(at + idBytes);
    }
    return undefined;
  }

  #runOf({ number, count, latestMs, pageBits, filter, checksum }: Readonly<Record<string, unknown>>): Run {
    if (!(filter instanceof Uint8Array) || crc32(filter) !== checksum) throw this.#damaged(`run ${number}`);
    return {
      number: Number(number),
      count: Number(count),
      latestMs: Number(latestMs),
      pageBits: Number(pageBits),
      filter: BloomFilter.of(filter),
    };
  }

  #checked({ number, entries, checksum }: Readonly<Record<string, unknown>>): Uint8Array {
    if (entries instanceof Uint8Array && crc32(entries) === checksum) return entries;
    throw this.#damaged(`page ${number}`);
  }

  #damaged(what: string): SnapshotDamagedError {
    return new SnapshotDamagedError(`${this.#snapshot.path}: ${what} of the known ids is not what was written`);
  }
}

function pageOf(ids: Uint8Array, at: number, pageBits: number): number {
  return pageBits === 0 ? 0 : bitsAt(ids, at + 8) >>> (32 - pageBits);
}
