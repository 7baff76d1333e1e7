import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { asError, messageOf } from '../../lib/errors.ts';

const run = promisify(execFile);

/** The compose file that runs Kafka and the registry, here as in production. */
export const composeFile = join(import.meta.dirname, '../../docker-compose.yml');

const answerTimeoutMs = 10_000;

/** Why Docker cannot run broker and registry here; `undefined` when it can. Images that are missing are pulled. */
export async function dockerTrouble(onProgress: (text: string) => void): Promise<string | undefined> {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: answerTimeoutMs });
  } catch {
    return 'no Docker engine answers';
  }
  try {
    await run('docker', ['compose', 'version'], { timeout: answerTimeoutMs });
  } catch {
    return 'Docker has no compose plugin';
  }
  try {
    const { stdout } = await run('docker', ['compose', '-f', composeFile, 'config', '--images', 'kafka', 'registry']);
    for (const image of new Set(stdout.split('\n').filter((line) => line !== ''))) {
      if (!(await hasImage(image))) await pull(image, onProgress);
    }
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function hasImage(image: string): Promise<boolean> {
  try {
    await run('docker', ['image', 'inspect', image]);
    return true;
  } catch {
    return false;
  }
}

async function pull(image: string, onProgress: (text: string) => void): Promise<void> {
  onProgress(`pulling ${image}`);
  try {
    await runShowing(['pull', image], {}, (line) => onProgress(`pulling ${image}: ${line}`));
  } catch (error) {
    throw new Error(`the image ${image} is not here and cannot be pulled`, { cause: error });
  }
}

/** Runs `docker` and shows each line it prints. @throws with the last of them when it fails. */
export function runShowing(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  onLine: (line: string) => void,
): Promise<void> {
  // Without a terminal docker prints plain lines.
  const child = spawn('docker', args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env } });
  let last = '';
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (line.trim() === '') return;
      last = line.trim();
      onLine(last);
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(asError(error)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`docker ${args[0]} failed (exit code ${code}): ${last}`));
    });
  });
}
