import { existsSync, statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { IngestConfig } from '../ingest/config.ts';

/** What stands out about the processes of ingest on this machine. */
export interface ProcessesFinding {
  readonly status: 'ok' | 'warning';
  readonly detail: string;
}

const gibibyte = 1024 ** 3;

/** How many processes take callbacks and what they may put on the disk together, against what the machine has. */
export function checkProcesses(
  {
    workers,
    drainMs,
    spoolBytes,
    spoolFolder,
  }: Pick<IngestConfig, 'workers' | 'drainMs' | 'spoolBytes' | 'spoolFolder'>,
  cores = availableParallelism(),
  freeBytes = freeBytesAt(spoolFolder),
): ProcessesFinding {
  const spool = `up to ${gib(workers * spoolBytes)} GiB in ${spoolFolder}, which has ${gib(freeBytes)} GiB free`;
  const drain = `${drainMs} ms of drain at a stop`;
  const trouble = [
    ...(workers > cores ? [`more processes than the ${cores} cores of this machine`] : []),
    ...(workers * spoolBytes > freeBytes ? ['less room on the disk than INGEST_SPOOL_BYTES of each process'] : []),
  ];
  const count = `${workers} process${workers === 1 ? '' : 'es'}`;
  return {
    status: trouble.length === 0 ? 'ok' : 'warning',
    detail: [[count, spool, drain].join(', '), ...trouble].join('; '),
  };
}

/** Free bytes on the disk of a folder that may not be there yet. */
function freeBytesAt(path: string): number {
  if (!existsSync(path) && dirname(path) !== path) return freeBytesAt(dirname(path));
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

function gib(bytes: number): string {
  return (bytes / gibibyte).toFixed(1);
}
