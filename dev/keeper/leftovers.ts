import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { KeeperFile } from './protocol.ts';

const run = promisify(execFile);

/**
 * Ends what a keeper left running because it was itself killed: the Java processes that its file names, if they still are
 * ours (a process id may have been given to another program since).
 */
export async function endLeftovers(file: KeeperFile | undefined): Promise<void> {
  for (const pid of file?.children ?? []) {
    if (!(await isOurs(pid))) continue;
    process.kill(pid, 'SIGKILL');
    while (await isOurs(pid)) await pause(50);
  }
}

async function isOurs(pid: number): Promise<boolean> {
  try {
    const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]);
    return /kafka\.Kafka|apicurio-registry-app/.test(stdout);
  } catch {
    return false;
  }
}
