import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives the test files one temporary folder, and removes it, with whatever is left in it, when all of them have run. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'imwatch-tests-'));
  // Programs that give up their rights, as nginx does, have folders in it too.
  chmodSync(folder, 0o755);
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
