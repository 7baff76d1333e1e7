import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decodeFrame, type SpooledRecord } from './frame.ts';

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

  /** Makes the file, its name in the folder durable too. */
  static async create(path: string): Promise<SegmentWriter> {
    const file = await open(path, 'wx', 0o600);
    await file.write(magic, 0, magic.length, 0);
    await file.sync();
    const folder = await open(dirname(path), 'r');
    await folder.sync();
    await folder.close();
    return new SegmentWriter(path, file);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Writes frames at the end and waits for the disk. When that fails, nothing of them is left where a reader would find it.
   *
   * @throws {Error} of the file system, for example ENOSPC.
   */
  async append(frames: Buffer): Promise<void> {
    try {
      let written = 0;
      while (written < frames.length) {
        const { bytesWritten } = await this.#file.write(
          frames,
          written,
          frames.length - written,
          this.#bytes + written,
        );
        written += bytesWritten;
      }
      await this.#file.datasync();
      this.#bytes += frames.length;
    } catch (error) {
      await this.#file.truncate(this.#bytes);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
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
