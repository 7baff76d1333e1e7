import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decodeFrame, type SpooledRecord } from './frame.ts';
import { syncFolder } from './sync-folder.ts';

/** Begins every segment file, with the version of its format. */
const magic = Buffer.from('IMSPOOL1');

/** A file of frames that is being written. A write is durable when `append` resolves. */
export class SegmentWriter {
  readonly path: string;
  readonly #file: FileHandle;
  #bytes = magic.length;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Makes the file, its name in the folder durable too.
   *
   * @throws {Error} of the file system; then there is no file.
   */
  static async create(path: string): Promise<SegmentWriter> {
    const file = await open(path, 'wx', 0o600);
    try {
      await writeAll(file, magic, 0);
      await file.sync();
      await syncFolder(dirname(path));
    } catch (error) {
      await file.close();
      await rm(path, { force: true });
      throw error;
    }
    return new SegmentWriter(path, file);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether there is no frame in it. */
  get isEmpty(): boolean {
    return this.#bytes === magic.length;
  }

  /**
   * Writes frames at the end and waits for the disk. When that fails, what was written of them is cut off again; where the disk
   * refuses that too it is a torn end, so nothing may be written behind it.
   *
   * @throws {Error} of the file system, for example ENOSPC.
   */
  async append(frames: Buffer): Promise<void> {
    try {
      await writeAll(this.#file, frames, this.#bytes);
      await this.#file.datasync();
      this.#bytes += frames.length;
    } catch (error) {
      await this.#file.truncate(this.#bytes).catch(() => undefined);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** A disk that is nearly full may take a part. */
async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

export interface SegmentContent {
  readonly records: readonly SpooledRecord[];
  /** What stands at the end and is no whole frame: nothing, or a write that a crash has cut, or damage. */
  readonly torn: Buffer;
}

/** The whole records of a segment, in order; what follows the first broken frame cannot be told apart and is left out. */
export async function readSegment(path: string): Promise<SegmentContent> {
  const bytes = await readFile(path);
  const records: SpooledRecord[] = [];
  if (!bytes.subarray(0, magic.length).equals(magic)) return { records, torn: bytes };
  let offset = magic.length;
  for (;;) {
    const frame = decodeFrame(bytes, offset);
    if (frame === undefined) return { records, torn: bytes.subarray(offset) };
    records.push(frame.record);
    offset = frame.end;
  }
}
