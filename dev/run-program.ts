import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ProgramOptions {
  /** All variables of the program; its PATH is also where the program is looked for. */
  readonly env: Environment;
  /** A line that the program printed, whether on standard output or error. */
  readonly onLine: (line: string) => void;
  /** Ends the program. */
  readonly signal: AbortSignal;
  /** Told the program's id. */
  readonly onChild?: (pid: number) => void;
}

const killAfterMs = 5_000;

/**
 * Runs a program to its end and returns its exit code, `null` when a signal ended it.
 *
 * When `signal` aborts, the program and what it has started get SIGTERM, then SIGKILL after 5 s, and this rejects with the
 * signal's reason once they have ended.
 *
 * @throws when the program cannot be run.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { env, onLine, signal, onChild }: ProgramOptions,
): Promise<number | null> {
  signal.throwIfAborted();
  // In a process group of its own: a program may be a script that runs another one.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env }, detached: true });
  if (child.pid !== undefined) onChild?.(child.pid);
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
  let killTimer: NodeJS.Timeout | undefined;
  const end = (): void => {
    killGroup(child.pid, 'SIGTERM');
    killTimer = setTimeout(() => killGroup(child.pid, 'SIGKILL'), killAfterMs);
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    return code;
  } finally {
    signal.removeEventListener('abort', end);
    clearTimeout(killTimer);
  }
}

function killGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // All of it has ended.
  }
}
