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

/** The environment in which `python3` finds fastavro, installed beside the jars at the first call; or why there is none. */
export async function findPython(): Promise<{ readonly env: NodeJS.ProcessEnv } | { readonly missing: string }> {
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
  return { env };
}
