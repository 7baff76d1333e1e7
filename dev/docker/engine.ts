import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../lib/errors.ts';
import { type Environment, type ProgramOptions, runProgram } from '../run-program.ts';

const run = promisify(execFile);

/** The compose file that runs Kafka and the registry, here as in production. */
export const composeFile = join(import.meta.dirname, '../../docker-compose.yml');

const answerTimeoutMs = 10_000;

/** Why Docker cannot run anything here; `undefined` when it can. Only asks: nothing is pulled. */
export async function dockerTrouble(env: Environment): Promise<string | undefined> {
  if (!(await succeeds(['version', '--format', '{{.Server.Version}}'], env))) return 'no Docker engine answers';
  if (!(await succeeds(['compose', 'version'], env))) return 'Docker has no compose plugin';
  return undefined;
}

/** The images of broker and registry that the engine does not have yet. */
export async function missingImages(env: Environment): Promise<readonly string[]> {
  const question = ['compose', '-f', composeFile, 'config', '--images', 'kafka', 'registry'];
  const { stdout } = await run('docker', question, { env, timeout: answerTimeoutMs });
  const missing: string[] = [];
  for (const image of new Set(stdout.split('\n').filter((line) => line !== ''))) {
    if (!(await succeeds(['image', 'inspect', image], env))) missing.push(image);
  }
  return missing;
}

/**
 * Why the images of broker and registry are not here; `undefined` when they are. Those that are missing are pulled, which
 * may take minutes.
 *
 * @throws the reason of `signal` when that ends it.
 */
export async function imagesTrouble(
  env: Environment,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    for (const image of await missingImages(env)) {
      onProgress(`pulling ${image}`);
      await runDocker(['pull', image], { env, onLine: (line) => onProgress(`pulling ${image}: ${line}`), signal });
    }
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `its images cannot be had: ${messageOf(error)}`;
  }
}

/** Runs `docker` and shows each line it prints. @throws with the last of them when it fails. */
export async function runDocker(args: readonly string[], options: ProgramOptions): Promise<void> {
  let last = '';
  // Without a terminal docker prints plain lines.
  const onLine = (line: string): void => {
    if (line.trim() === '') return;
    last = line.trim();
    options.onLine(last);
  };
  const code = await runProgram('docker', args, { ...options, onLine });
  if (code !== 0) throw new Error(`docker ${args.join(' ')} failed (exit code ${code}): ${last}`);
}

async function succeeds(args: readonly string[], env: Environment): Promise<boolean> {
  try {
    await run('docker', args, { env, timeout: answerTimeoutMs });
    return true;
  } catch {
    return false;
  }
}
