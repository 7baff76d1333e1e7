import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { liftFileSizeLimit, limitFileSize, noPrlimit } from '../support/file-size-limit.ts';
import type { IngestProcess } from './ingest-process.ts';

/** A disk under the spool that a test can fill, and empty again. */
export interface SmallDisk {
  readonly name: string;
  /** Why there can be none here; `undefined` when there can. */
  readonly trouble: string | undefined;
  /** What ingest is started by. */
  readonly startedBy: (spoolFolder: string) => readonly string[];
  readonly fill: (ingest: IngestProcess, spoolFolder: string) => void;
  readonly free: (ingest: IngestProcess, spoolFolder: string) => void;
}

/** No file of ingest can grow any more, its log included; without any rights. */
const limitedFiles: SmallDisk = {
  name: 'files that cannot grow',
  trouble: noPrlimit,
  startedBy: () => [],
  fill: ({ pid }) => limitFileSize(pid, 0),
  free: ({ pid }) => liftFileSizeLimit(pid),
};

const sizeMib = 64;

/** A file system of its own in memory, which ingest alone sees. */
const smallFileSystem: SmallDisk = {
  name: 'a file system without space',
  trouble: mountTrouble(),
  startedBy: (spoolFolder) => inNamespace(`mount -t tmpfs -o size=${sizeMib}m tmpfs '${spoolFolder}' && exec "$@"`),
  fill: ({ pid }, spoolFolder) => {
    const file = openSync(fillerOf(pid, spoolFolder), 'w');
    try {
      for (let bytes = 1024 * 1024; bytes >= 1; bytes >>= 1) writeUntilRefused(file, Buffer.alloc(bytes));
    } finally {
      closeSync(file);
    }
  },
  free: ({ pid }, spoolFolder) => rmSync(fillerOf(pid, spoolFolder)),
};

export const smallDisks: readonly SmallDisk[] = [limitedFiles, smallFileSystem];

function fillerOf(pid: number, spoolFolder: string): string {
  return join(`/proc/${pid}/root`, spoolFolder, 'filler');
}

function writeUntilRefused(file: number, bytes: Buffer): void {
  try {
    for (;;) writeSync(file, bytes);
  } catch {
    // ENOSPC: smaller ones may still fit.
  }
}

function inNamespace(script: string): readonly string[] {
  return ['unshare', '--map-root-user', '--mount', 'sh', '-c', script, 'sh'];
}

function mountTrouble(): string | undefined {
  const [program = '', ...args] = inNamespace('mount -t tmpfs -o size=1m tmpfs /tmp');
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'file systems may not be mounted';
  }
}
