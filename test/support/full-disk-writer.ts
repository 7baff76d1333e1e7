import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { withFileSizeLimit } from './file-size-limit.ts';

export interface FullDisk {
  /** Size that no file may exceed until the limit is lifted. */
  readonly limitBytes: number;
  /** Size of the body of each record. */
  readonly bodyBytes: number;
}

export interface WrittenUntilFull {
  /** Keys of the records that were acknowledged until one was refused. */
  readonly acknowledgedBefore: readonly string[];
  /** Keys of those that were acknowledged once the spool said that it can be written again. */
  readonly acknowledgedAfter: readonly string[];
  readonly refusal: string | null;
  readonly segmentsWhileFull: number;
  readonly refusalAtEnd: string | null;
}

/** Runs a process that writes a spool in `root` until its disk is full and after that, and is then killed. */
export async function writeUntilFull(root: string, { limitBytes, bodyBytes }: FullDisk): Promise<WrittenUntilFull> {
  const [program = '', ...args] = [
    ...withFileSizeLimit(limitBytes),
    process.execPath,
    join(import.meta.dirname, 'full-disk-process.ts'),
    root,
    String(bodyBytes),
  ];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(await text(child.stdout)) as WrittenUntilFull;
}
