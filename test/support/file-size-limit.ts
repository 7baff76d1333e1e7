import { execFileSync } from 'node:child_process';

/** Why files cannot be limited here, to skip with; `undefined` when they can. */
export const noPrlimit: string | undefined = findTrouble();

/** Text behind a suite's name that says why it is skipped. */
export const prlimitNote: string = noPrlimit === undefined ? '' : ` (skipped: ${noPrlimit})`;

/** What runs a program whose files cannot grow beyond `bytes`: for it they are on a disk that is full. */
export function withFileSizeLimit(bytes: number): readonly string[] {
  // The soft limit alone, so that it can be lifted again.
  return ['prlimit', `--fsize=${bytes}:`];
}

/** From now on no file of that process can grow beyond `bytes`. */
export function limitFileSize(pid: number, bytes: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

export function liftFileSizeLimit(pid: number): void {
  execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited']);
}

function findTrouble(): string | undefined {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'there is no prlimit (util-linux)';
  }
}
