import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ProcessLock } from '../../../lib/process-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'imwatch-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('ProcessLock is held by one at a time and can be taken again after a release', () => {
  const path = join(folder, 'a.lock');
  const first = ProcessLock.tryTake(path);
  expect(first).toBeDefined();
  expect(ProcessLock.tryTake(path)).toBeUndefined();
  first?.release();
  expect(ProcessLock.tryTake(path)).toBeDefined();
});

it('ProcessLock is let go of when its process is killed', async () => {
  const path = join(folder, 'b.lock');
  const holder = fork(join(import.meta.dirname, '../../support/lock-holder.ts'), [path], { execArgv: [] });
  await once(holder, 'message');
  expect(ProcessLock.tryTake(path)).toBeUndefined();
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(ProcessLock.tryTake(path)).toBeDefined();
});
