import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder that is removed with `resources`. */
export function temporaryFolder(resources: DisposableStack | AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'imwatch-bench-'));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
