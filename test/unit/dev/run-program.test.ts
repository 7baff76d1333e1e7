import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runProgram } from '../../../dev/run-program.ts';
import { familyOf, stillRunning } from '../../support/processes.ts';
import { stubProgram } from '../../support/stub-program.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

it.each([
  ['ends', ''],
  ['does not care for SIGTERM', "trap '' TERM; "],
])('runProgram ends a script that %s and the program that it runs', { timeout: 20_000 }, async (_what, trap) => {
  const folder = makeTestFolder();
  const script = stubProgram(folder, 'script', `${trap}sleep 600 & touch ${folder}/runs; wait; sleep 600`);
  const giveUp = new AbortController();
  const pids: number[] = [];
  const env = { PATH: '/usr/bin:/bin' };
  const onChild = (pid: number) => pids.push(pid);
  const ran = runProgram(script, [], { env, onLine: () => undefined, onChild, signal: giveUp.signal });
  ran.catch(() => undefined);
  await expect.poll(() => existsSync(join(folder, 'runs'))).toBe(true);
  const family = pids.flatMap(familyOf);
  expect(family).toHaveLength(2);
  giveUp.abort(new Error('Ctrl-C'));
  await expect(ran).rejects.toThrow('Ctrl-C');
  expect(stillRunning(family)).toEqual([]);
});
