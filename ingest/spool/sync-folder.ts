import { open } from 'node:fs/promises';

/** Waits until the disk has the names in a folder: a file that is synced may be lost with its name. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}
