import cluster from 'node:cluster';
import type { Sources } from '../../lib/config/read.ts';

/** The variable by which a worker knows its number. */
export const workerNumberName = 'IMWATCH_WORKER';

/** The number of this process among those of its supervisor; `undefined` in a process that is no worker. */
export function workerNumber({ env }: Sources): number | undefined {
  const text = env[workerNumberName];
  return cluster.isWorker && text !== undefined ? Number(text) : undefined;
}
