import { join } from 'node:path';
import { ProcessLock } from '../../../lib/process-lock.ts';

/** A folder that this process has for itself until it ends. */
export interface InstanceFolder {
  readonly path: string;
  release(): void;
}

/**
 * The first of the folders 0, 1, 2 … under `root` that no living process has: an instance that starts again finds the copies that one
 * before it has left.
 */
export function takeInstanceFolder(root: string): InstanceFolder {
  for (let number = 0; ; number += 1) {
    const path = join(root, String(number));
    const lock = ProcessLock.tryTake(join(path, 'lock'));
    if (lock !== undefined) return { path, release: () => lock.release() };
  }
}
