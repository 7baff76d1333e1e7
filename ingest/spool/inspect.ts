import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { foldersIn, lockFolder, segmentsIn } from './folders.ts';

/** What one folder of a spool holds. */
export interface FolderView {
  /** Whether a living process writes it; one that nobody holds is taken over by the next ingest that starts. */
  readonly isHeld: boolean;
  readonly bytes: number;
  /** When its oldest segment was begun, in epoch milliseconds. */
  readonly oldestMs: number | undefined;
}

export interface SpoolView {
  /** Folders in which events wait. */
  readonly folders: readonly FolderView[];
  /** Files in quarantine. */
  readonly quarantined: number;
}

/**
 * Looks at the spool under `root`, whoever writes it; changes nothing.
 *
 * @throws {Error} of the file system.
 */
export async function inspectSpool(root: string): Promise<SpoolView> {
  const folders = await Promise.all((await foldersIn(root)).map(inspectFolder));
  const quarantine = await readdir(join(root, 'quarantine')).catch(() => []);
  return { folders: folders.filter(({ bytes }) => bytes > 0), quarantined: quarantine.length };
}

async function inspectFolder(path: string): Promise<FolderView> {
  // Held for the moment of asking only.
  const lock = lockFolder(path);
  lock?.release();
  const segments = await segmentsIn(path);
  return {
    isHeld: lock === undefined,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    oldestMs: segments[0]?.createdMs,
  };
}
