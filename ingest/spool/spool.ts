import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { AppError, messageOf, UserError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type AdoptedFolder, adoptFolders, makeFolder, removeFolder, type Segment } from './folders.ts';
import { encodeFrame, type SpooledRecord } from './frame.ts';
import { probeFolder } from './probe.ts';
import { SegmentWriter } from './segment.ts';
import { syncFolder } from './sync-folder.ts';

/** The spool cannot take a record: it is full, too old, or its disk fails. */
export class SpoolError extends AppError {
  override readonly name = 'SpoolError';
  readonly code = 'INGEST_SPOOL_FAILED';
  readonly retryable = true;
}

export interface SpoolLimits {
  /** Most bytes that are kept. */
  readonly maxBytes: number;
  /** Nothing more is taken while the oldest record has been waiting longer than this. */
  readonly maxAgeMs: number;
  /** Size at which a segment is closed and the next one begun; what a crash makes the drain repeat at most. */
  readonly segmentBytes: number;
  /** Most bytes that wait in memory for a disk that is slow. */
  readonly waitingBytes: number;
}

interface Waiting {
  readonly frames: Buffer;
  readonly records: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Most bytes that one write to the disk holds. */
const writeBytes = 8 * 1024 * 1024;
/** After a failed write, how often it is looked whether the disk takes something again. */
const lookAgainMs = 1_000;

/**
 * Records on the disk of this process, in the order in which they were appended, until somebody has taken them from the front.
 *
 * Writes that come while the disk is busy go together with one sync (group commit). Folders that other processes have left
 * behind are adopted at the start, and when somebody says that a process has ended; they come first. Damage costs the frames
 * behind it in its segment, which go to quarantine.
 */
export class Spool {
  readonly #root: string;
  readonly #limits: SpoolLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #folders: AdoptedFolder[];
  /** Oldest first; the last one may still be written. */
  readonly #segments: Segment[];
  #own: AdoptedFolder | undefined;
  #active: { readonly writer: SegmentWriter; readonly segment: Segment } | undefined;
  #count = 0;
  #waiting: Waiting[] = [];
  /** Bytes that wait to be written. */
  #waitingBytes = 0;
  #spooledRecords = 0;
  /** Why the last write failed. */
  #failure: string | undefined;
  #cancelLook: (() => void) | undefined;
  /** One thing at a time happens to the files. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(root: string, limits: SpoolLimits, clock: Clock, logger: Logger, folders: AdoptedFolder[]) {
    this.#root = root;
    this.#limits = limits;
    this.#clock = clock;
    this.#logger = logger;
    this.#folders = folders;
    this.#segments = folders.flatMap(({ segments }) => segments);
  }

  /**
   * Opens the spool under `root`, with every folder there that no process holds.
   *
   * @throws {UserError} when the folder cannot be used.
   */
  static async open(root: string, limits: SpoolLimits, clock: Clock, logger: Logger): Promise<Spool> {
    const folders = await openFolders(root);
    const spool = new Spool(root, limits, clock, logger, folders);
    if (!spool.isEmpty)
      logger.info({ bytes: spool.bytes, folders: folders.length }, 'the spool holds events of before');
    return spool;
  }

  /** Whether nothing is kept and nothing waits to be written. */
  get isEmpty(): boolean {
    return this.#segments.length === 0 && this.#waitingBytes === 0;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Bytes at which it is full. */
  get maxBytes(): number {
    return this.#limits.maxBytes;
  }

  /** Records that this process has written. */
  get spooledRecords(): number {
    return this.#spooledRecords;
  }

  /** When the oldest segment was begun, in epoch milliseconds. */
  get oldestMs(): number | undefined {
    return this.#segments[0]?.createdMs;
  }

  /** Why nothing more is taken, a sentence; `undefined` while it is. */
  get refusal(): string | undefined {
    return this.#failure ?? this.#refusalOf(0);
  }

  /**
   * Resolves when all of `records` are on the disk, behind everything that was appended before.
   *
   * @throws {SpoolError} when they are not, and will not be.
   */
  append(records: readonly SpooledRecord[]): Promise<void> {
    const frames = Buffer.concat(records.map(encodeFrame));
    const refusal = this.#refusalOf(frames.length);
    if (refusal !== undefined) return Promise.reject(new SpoolError(refusal));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ frames, records: records.length, resolve, reject });
    this.#waitingBytes += frames.length;
    // Whoever comes while a write waits for its turn goes along with it.
    if (this.#waiting.length === 1) void this.#inTurn(() => this.#write());
    return promise;
  }

  /** The oldest segment, which nothing is added to any more; `undefined` when there is none. */
  oldest(): Promise<Segment | undefined> {
    return this.#inTurn(async () => {
      const [oldest] = this.#segments;
      if (oldest !== undefined && oldest === this.#active?.segment) await this.#seal();
      return oldest;
    });
  }

  /** Forgets a segment whose records are durable elsewhere. */
  remove(segment: Segment): Promise<void> {
    return this.#inTurn(async () => {
      await rm(segment.path, { force: true });
      this.#segments.splice(this.#segments.indexOf(segment), 1);
      await this.#forgetEmptyFolders();
    });
  }

  /** Takes over the folders of processes that have ended since the start; their events come before all others. */
  adopt(): Promise<void> {
    return this.#inTurn(async () => {
      const own = new Set([...this.#folders, ...(this.#own === undefined ? [] : [this.#own])].map(({ path }) => path));
      const folders = await adoptFolders(this.#root, own);
      if (folders.length === 0) return;
      this.#folders.push(...folders);
      this.#segments.unshift(...folders.flatMap(({ segments }) => segments));
      this.#logger.info(
        { folders: folders.length, bytes: this.bytes },
        'took over the spool of a process that has ended',
      );
      await this.#forgetEmptyFolders();
    });
  }

  /** Lets go of the files; what they hold is for the next process. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.#mended();
      await this.#seal();
      if (this.#own !== undefined) this.#folders.push(this.#own);
      this.#own = undefined;
      await this.#forgetEmptyFolders();
      for (const { lock } of this.#folders) lock.release();
    });
  }

  #refusalOf(bytes: number): string | undefined {
    const { maxBytes, maxAgeMs, waitingBytes } = this.#limits;
    if (this.#waitingBytes + bytes > waitingBytes) return `The disk is slow: ${this.#waitingBytes} bytes wait for it`;
    if (this.bytes + this.#waitingBytes + bytes > maxBytes) return `The spool is full (${maxBytes} bytes)`;
    const { oldestMs } = this;
    if (oldestMs !== undefined && this.#clock.nowMs() - oldestMs > maxAgeMs) {
      return `The oldest event in the spool waits since ${new Date(oldestMs).toISOString()}`;
    }
    return undefined;
  }

  /** Writes what waits, as much as goes into one write. */
  async #write(): Promise<void> {
    const batch = this.#nextWrite();
    try {
      const { writer, segment } = await this.#activeSegment();
      await writer.append(Buffer.concat(batch.map(({ frames }) => frames)));
      segment.bytes = writer.bytes;
      this.#mended();
      for (const { records, resolve } of batch) {
        this.#spooledRecords += records;
        resolve();
      }
      if (writer.bytes >= this.#limits.segmentBytes) await this.#seal();
    } catch (error) {
      this.#failed(messageOf(error));
      const failure = new SpoolError(this.#failure);
      for (const { reject } of batch) reject(failure);
      await this.#leaveSegment();
    } finally {
      for (const { frames } of batch) this.#waitingBytes -= frames.length;
    }
  }

  #failed(reason: string): void {
    if (this.#failure === undefined) this.#logger.error({ reason }, 'the spool cannot be written');
    this.#failure = `The spool cannot be written: ${reason}`;
    this.#cancelLook ??= this.#clock.after(lookAgainMs, () => void this.#inTurn(() => this.#lookAgain()));
  }

  #mended(): void {
    this.#failure = undefined;
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  /** Tries the disk without an event, as none comes while others are told that this process is unavailable. */
  async #lookAgain(): Promise<void> {
    this.#cancelLook = undefined;
    if (this.#failure === undefined) return;
    try {
      await probeFolder(this.#root);
      this.#mended();
      this.#logger.info('the spool can be written again');
    } catch (error) {
      this.#failed(messageOf(error));
    }
  }

  /** Adds nothing more to a segment that a write has failed in. */
  async #leaveSegment(): Promise<void> {
    const { writer, segment } = this.#active ?? {};
    await this.#seal().catch(() => undefined);
    if (writer?.isEmpty !== true || segment === undefined) return;
    // One that cannot be removed holds nothing, and goes with its folder.
    await rm(segment.path, { force: true }).catch(() => undefined);
    this.#segments.splice(this.#segments.indexOf(segment), 1);
  }

  #nextWrite(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { frames } of this.#waiting) {
      if (count > 0 && bytes + frames.length > writeBytes) break;
      bytes += frames.length;
      count += 1;
    }
    const batch = this.#waiting.splice(0, count);
    if (this.#waiting.length > 0) void this.#inTurn(() => this.#write());
    return batch;
  }

  async #activeSegment(): Promise<{ readonly writer: SegmentWriter; readonly segment: Segment }> {
    if (this.#active !== undefined) return this.#active;
    this.#own ??= await makeFolder(this.#root, this.#clock.nowMs());
    this.#count += 1;
    const createdMs = this.#clock.nowMs();
    const path = join(this.#own.path, `${String(this.#count).padStart(8, '0')}-${createdMs}.seg`);
    const writer = await SegmentWriter.create(path);
    const segment = { path, folder: this.#own.path, createdMs, bytes: writer.bytes };
    this.#segments.push(segment);
    this.#active = { writer, segment };
    return this.#active;
  }

  async #seal(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    await active?.writer.close();
  }

  async #forgetEmptyFolders(): Promise<void> {
    for (const folder of [...this.#folders]) {
      if (this.#segments.some((segment) => segment.folder === folder.path)) continue;
      await removeFolder(folder);
      this.#folders.splice(this.#folders.indexOf(folder), 1);
    }
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

async function openFolders(root: string): Promise<AdoptedFolder[]> {
  try {
    if ((await mkdir(root, { recursive: true, mode: 0o700 })) !== undefined) await syncFolder(dirname(root));
    return await adoptFolders(root);
  } catch (error) {
    const expected = 'expected a folder that imwatch may write to (INGEST_SPOOL_DIR, else spool in IMWATCH_HOME)';
    throw new UserError(`The spool cannot be kept in ${root}, ${expected}`, { cause: error });
  }
}
