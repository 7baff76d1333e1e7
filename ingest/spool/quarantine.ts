import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { encodeFrame, type SpooledRecord } from './frame.ts';
import { SegmentWriter } from './segment.ts';
import { syncFolder } from './sync-folder.ts';

/** Files for people: records that Kafka refuses for good, and damaged parts of segments. Nothing reads or removes them. */
export class Quarantine {
  readonly #folder: string;
  readonly #clock: Clock;
  #count = 0;

  constructor(root: string, clock: Clock) {
    this.#folder = join(root, 'quarantine');
    this.#clock = clock;
  }

  /** Resolves with the file when the record is on the disk. */
  async keepRecord(record: SpooledRecord): Promise<string> {
    const path = await this.#newPath('seg');
    const writer = await SegmentWriter.create(path);
    await writer.append(encodeFrame(record));
    await writer.close();
    return path;
  }

  /** Resolves with the file when the damaged end of a segment is in it; a disk that is full gets the segment itself moved. */
  async keepDamaged(end: Buffer, segmentPath: string): Promise<string> {
    const path = await this.#newPath('damaged');
    try {
      await writeFile(path, end, { mode: 0o600, flush: true });
      await syncFolder(this.#folder);
      return path;
    } catch {
      await rm(path, { force: true }).catch(() => undefined);
      return this.keepWhole(segmentPath);
    }
  }

  /** Moves a segment here as it is; resolves with its new name. */
  async keepWhole(segmentPath: string): Promise<string> {
    const path = await this.#newPath('whole');
    await rename(segmentPath, path);
    await syncFolder(this.#folder);
    return path;
  }

  async #newPath(extension: string): Promise<string> {
    const made = await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (made !== undefined) await syncFolder(dirname(this.#folder));
    this.#count += 1;
    return join(this.#folder, `${this.#clock.nowMs()}-${process.pid}-${this.#count}.${extension}`);
  }
}
