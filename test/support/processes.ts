import { execFileSync } from 'node:child_process';
import { sleep, systemClock } from '../../lib/clock.ts';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Processes of this machine that have not ended; what waits to be reaped by its parent has. */
function processes(): readonly Process[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,command='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+([^Z\s]\S*)\s+(.*)$/.exec(line))
    .filter((found) => found !== null)
    .map(([, pid, parent, , command = '']) => ({ pid: Number(pid), parent: Number(parent), command }));
}

/** `pid` and all that it has started, directly or not. */
export function familyOf(pid: number): readonly number[] {
  const all = processes();
  const family = [pid];
  for (const member of family) family.push(...all.filter(({ parent }) => parent === member).map((child) => child.pid));
  return family;
}

export function stillRunning(pids: readonly number[]): readonly number[] {
  return running(pids, /^/);
}

/** Those of `pids` that run and whose command line matches. */
export function running(pids: readonly number[], command: RegExp): readonly number[] {
  const all = processes();
  return pids.filter((pid) => all.some((process) => process.pid === pid && command.test(process.command)));
}

/** Resolves when none of `pids` runs any more. */
export async function allEnded(pids: readonly number[]): Promise<void> {
  while (stillRunning(pids).length > 0) await sleep(systemClock, 50);
}

/**
 * Sends `signal` to the process `pid`.
 *
 * @throws {Error} for a process that was not found: the number 0 in its place would mean the group of the tests themselves
 */
export function sendSignal(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined || !(pid > 1)) throw new Error(`no process to send ${signal} to: ${pid}`);
  process.kill(pid, signal);
}
