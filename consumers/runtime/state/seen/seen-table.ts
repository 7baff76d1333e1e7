import type { StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { type Snapshot, SnapshotDamagedError } from '../snapshot.ts';
import { ChunkMarks, type KeptChunks } from './chunk-marks.ts';
import { IdRuns } from './id-runs.ts';
import type { IdBatch } from './recent-ids.ts';

/** Ids of events that were taken in one transaction. */
export interface SeenChunk extends IdBatch {
  /** Ascends from one transaction to the next. */
  readonly number: number;
}

/** What is known of the chunks is kept about as many times as finely as the horizon is long. */
const marksOfHorizon = 1_000;

/** The ids of a snapshot, and which chunks of them stand on the topic. */
export class SeenTable {
  readonly horizonMs: number;
  readonly runs: IdRuns;
  readonly chunks: ChunkMarks;
  readonly #keep: StatementSync;

  /** @throws {SnapshotDamagedError} */
  constructor(snapshot: Snapshot, horizonMs: number) {
    this.horizonMs = horizonMs;
    this.runs = new IdRuns(snapshot);
    const { database } = snapshot;
    database.exec(
      'CREATE TABLE IF NOT EXISTS seen_chunks (id INTEGER PRIMARY KEY, kept TEXT NOT NULL, checksum INTEGER NOT NULL)',
    );
    this.#keep = database.prepare('INSERT OR REPLACE INTO seen_chunks VALUES (0, ?, ?)');
    const row = snapshot.guard(() => database.prepare('SELECT kept, checksum FROM seen_chunks').get());
    const kept = row === undefined ? undefined : String(row['kept']);
    if (kept !== undefined && crc32(kept) !== row?.['checksum']) {
      throw new SnapshotDamagedError(`${snapshot.path}: the numbers of the known chunks are not what was written`);
    }
    this.chunks = new ChunkMarks(
      horizonMs / marksOfHorizon,
      kept === undefined ? undefined : (JSON.parse(kept) as KeptChunks),
    );
  }

  /** Takes what was read of the topic. To be called within an update of the snapshot, as is `keep`. */
  restore(chunks: readonly SeenChunk[], forgotten: readonly number[]): void {
    for (const { number, timesMs } of chunks) this.chunks.add(number, timesMs[timesMs.length - 1] ?? 0);
    this.chunks.forget(forgotten);
    this.keep(chunks);
  }

  /** Puts ids, and what is known of the chunks, into the snapshot. */
  keep(batches: readonly IdBatch[]): void {
    this.runs.add(batches);
    this.runs.forgetBefore(this.chunks.latestMs - this.horizonMs);
    const kept = JSON.stringify(this.chunks.kept);
    this.#keep.run(kept, crc32(kept));
  }
}
