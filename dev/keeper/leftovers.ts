import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { messageOf } from '../../lib/errors.ts';
import { ProcessLock } from '../../lib/process-lock.ts';
import { removeContainers } from '../docker/backend.ts';
import { jarsFolder } from '../embedded/jars.ts';
import type { Environment } from '../run-program.ts';
import { brokerFolder, keeperLockPath, readKeeperFile, removeKeeperFile } from './protocol.ts';

const run = promisify(execFile);

/**
 * Ends what the keeper of `home` left running because it was itself killed: its file, which a keeper removes when it has
 * stopped everything, is still there. To be called by whoever holds the keeper's lock.
 */
export async function endLeftovers(home: string, env: Environment, onLine: (line: string) => void): Promise<void> {
  const file = readKeeperFile(home);
  if (file === undefined) return;
  for (const pid of file.children) await kill(pid, home);
  if (file.kind === 'docker') {
    // Without an engine that answers no containers run either.
    await removeContainers(home, env, onLine).catch((error: unknown) => onLine(messageOf(error)));
  }
  removeKeeperFile(home);
}

/** Does the same for one who held a lease; nothing while a keeper runs, or when another is faster. */
export async function endLeftoversOfLost(home: string, env: Environment): Promise<void> {
  if (readKeeperFile(home) === undefined) return;
  const lock = ProcessLock.tryTake(keeperLockPath(home));
  if (lock === undefined) return;
  try {
    await endLeftovers(home, env, () => undefined);
  } finally {
    lock.release();
  }
}

async function kill(pid: number, home: string): Promise<void> {
  while (await isOurs(pid, home)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended in between.
    }
    await pause(50);
  }
}

/** Whether a process is Kafka, the registry or Maven of this home: its id may have been given to any other program since. */
async function isOurs(pid: number, home: string): Promise<boolean> {
  try {
    const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
    if (/dependency:(copy-dependencies|unpack)/.test(stdout)) return stdout.includes(`=${jarsFolder(home)}/`);
    const isServer = /kafka\.Kafka|kafka\.tools\.StorageTool|apicurio-registry-app/.test(stdout);
    return isServer && stdout.includes(`${brokerFolder(home)}/`);
  } catch {
    return false;
  }
}
