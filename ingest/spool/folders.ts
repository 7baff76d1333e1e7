import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ProcessLock } from '../../lib/process-lock.ts';
import { syncFolder } from './sync-folder.ts';

/** A file of records in the spool. */
export interface Segment {
  readonly path: string;
  readonly folder: string;
  /** When it was begun, in epoch milliseconds. */
  readonly createdMs: number;
  bytes: number;
}

/** A folder of the spool that this process holds the lock of. */
export interface AdoptedFolder {
  readonly path: string;
  readonly lock: ProcessLock;
  readonly segments: readonly Segment[];
}

const folderPattern = /^\d{13}-[0-9a-f]{8}$/;
const segmentPattern = /^\d{8}-(\d{13})\.seg$/;

/** The end of the name of a folder that is being made or removed, which nobody adopts. */
const passing = '.tmp';

/** A new folder under `root`, which other processes see only when its lock is held; its name is durable. */
export async function makeFolder(root: string, nowMs: number): Promise<AdoptedFolder> {
  const path = join(root, `${nowMs}-${randomBytes(4).toString('hex')}`);
  await mkdir(path + passing, { mode: 0o700 });
  const lock = lockFolder(path + passing);
  if (lock === undefined) throw new Error(`${path} is held by another process`);
  await rename(path + passing, path);
  await syncFolder(root);
  return { path, lock, segments: [] };
}

/** Removes a folder that holds nothing any more. Another process may be about to look at it, and makes an empty one of it then. */
export async function removeFolder({ path, lock }: AdoptedFolder): Promise<void> {
  await rename(path, path + passing).catch(ignoreMissing);
  await rm(path + passing, { recursive: true, force: true });
  lock.release();
}

function ignoreMissing(error: Error & { code?: string }): void {
  if (error.code !== 'ENOENT') throw error;
}

/** The lock of a folder, or `undefined` when a living process holds it. */
export function lockFolder(path: string): ProcessLock | undefined {
  return ProcessLock.tryTake(join(path, 'lock'));
}

/**
 * Takes over every folder under `root` that no process holds any more, oldest first, their segments in order; `own` are the
 * paths of those that this process has already.
 */
export async function adoptFolders(root: string, own: ReadonlySet<string> = new Set()): Promise<AdoptedFolder[]> {
  const adopted: AdoptedFolder[] = [];
  for (const path of await foldersIn(root)) {
    if (own.has(path)) continue;
    const lock = lockFolder(path);
    if (lock !== undefined) adopted.push({ path, lock, segments: await segmentsIn(path) });
  }
  return adopted;
}

/** Every folder of a spool under `root`, oldest first. */
export async function foldersIn(root: string): Promise<readonly string[]> {
  const names = (await readdir(root)).filter((name) => folderPattern.test(name)).toSorted();
  return names.map((name) => join(root, name));
}

/** The segments of a folder, in order. */
export async function segmentsIn(folder: string): Promise<readonly Segment[]> {
  const names = (await readdir(folder)).filter((name) => segmentPattern.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const createdMs = Number(segmentPattern.exec(name)?.[1]);
      return { path, folder, createdMs, bytes: (await stat(path)).size };
    }),
  );
}
