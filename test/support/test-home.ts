import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeOf } from '../../cli/settings.ts';
import { composeProject } from '../../dev/docker/backend.ts';
import { composeFile } from '../../dev/docker/engine.ts';
import { processSources } from '../../lib/config/sources.ts';

/**
 * An empty IMWATCH_HOME of its own, which shares the jars of the one in force, so that they are fetched once. `remove` takes
 * everything away, volumes of containers included.
 */
export function makeTestHome(): { readonly home: string; remove(): void } {
  const jars = join(homeOf(processSources()), 'jars');
  mkdirSync(jars, { recursive: true });
  const home = mkdtempSync(join(tmpdir(), 'imwatch-test-'));
  symlinkSync(jars, join(home, 'jars'));
  return {
    home,
    remove: () => {
      removeContainers(home);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function removeContainers(home: string): void {
  try {
    execFileSync('docker', ['compose', '-p', composeProject(home), '-f', composeFile, 'down', '-v'], {
      stdio: 'ignore',
    });
  } catch {
    // Without an engine there are no containers either.
  }
}
