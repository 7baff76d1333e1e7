import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** As much as some hundred events, so that a disk is not found well for its last block. */
const probeBytes = 64 * 1024;

/**
 * Writes a file in `folder`, waits until it is on the disk, and removes it. Resolves with the milliseconds that this took.
 *
 * @throws {Error} of the file system, for example ENOSPC.
 */
export async function probeFolder(folder: string): Promise<number> {
  const began = performance.now();
  const path = join(folder, `probe-${process.pid}`);
  try {
    await using file = await open(path, 'w', 0o600);
    await file.writeFile(Buffer.alloc(probeBytes, 1));
    await file.sync();
  } finally {
    await rm(path, { force: true });
  }
  return performance.now() - began;
}
