import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { homeOf } from '../../../cli/settings.ts';
import { processEnvironment, processSources } from '../../../lib/config/sources.ts';
import { messageOf } from '../../../lib/errors.ts';

const run = promisify(execFile);
const requirements = join(import.meta.dirname, 'requirements.txt');

/** Decodes records with Python's fastavro, given the address of the registry. */
export type IndependentReader = (records: readonly Buffer[], registryUrl: string) => Promise<readonly unknown[]>;

/** The reader, its packages installed beside the jars at the first call; or why there is none. */
export async function findIndependentReader(): Promise<IndependentReader | { readonly missing: string }> {
  const packages = join(homeOf(processSources()), `python-${hash('sha256', readFileSync(requirements)).slice(0, 8)}`);
  const env = { ...processEnvironment(), PYTHONPATH: packages };
  try {
    await run('python3', ['-c', 'import pip'], { env });
  } catch {
    return { missing: 'python3 with pip is not installed' };
  }
  if (!existsSync(packages)) {
    // Beside, then renamed: an interrupted installation is not taken for a whole one.
    const staging = `${packages}.${process.pid}`;
    try {
      await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', staging, '--requirement', requirements], {
        env,
      });
      renameSync(staging, packages);
    } catch (error) {
      rmSync(staging, { recursive: true, force: true });
      return { missing: `fastavro cannot be installed: ${messageOf(error)}` };
    }
  }
  return async (records, registryUrl) => {
    const reading = run('python3', [join(import.meta.dirname, 'read.py'), registryUrl], { env });
    reading.child.stdin?.end(records.map((record) => `${record.toString('base64')}\n`).join(''));
    const { stdout } = await reading;
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  };
}
