import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKeeperFile } from '../../dev/keeper/protocol.ts';
import { processEnvironment } from '../../lib/config/sources.ts';
import { CliProcess } from '../support/cli.ts';
import { javaTools, noEmbedded, skipNote } from '../support/embedded.ts';
import { familyOf, stillRunning } from '../support/processes.ts';
import { stubProgram } from '../support/stub-program.ts';
import { makeTestHome } from '../support/test-home.ts';
import { startUp, upEnvironment } from '../support/up.ts';

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ home: folder, remove } = makeTestHome());
});
afterEach(() => remove());

/** A Maven that has the jars of `jars` at hand. */
function stubMaven(jars: string, before: string): void {
  const copy = `name=\${arg##*/}; cp -R "${jars}/\${name%.part-*}" "\${arg#*=}"`;
  stubProgram(
    join(folder, 'bin'),
    'mvn',
    `${before}\nfor arg; do case $arg in -DoutputDirectory=*) ${copy};; esac; done`,
  );
}

describe.skipIf(noEmbedded !== undefined)(`the first download${skipNote}`, () => {
  it('that is interrupted leaves no process, and is repeated by the next start', async () => {
    const { kafkaJars } = await javaTools();
    const jars = join(kafkaJars, '..');
    const home = join(folder, 'new');
    const path = `${join(folder, 'bin')}:${processEnvironment()['PATH']}`;
    const env = { ...(await upEnvironment(home, 'embedded')), PATH: path, MAVEN_HOME: '' };

    stubMaven(jars, `mkdir "\${0%/*}/half"; echo 'Progress (1): some.jar (1 kB)'; exec sleep 600`);
    const first = new CliProcess(['up'], env);
    await expect.poll(() => existsSync(join(folder, 'bin/half')), { timeout: 30_000 }).toBe(true);
    const family = [...familyOf(first.child.pid ?? 0), ...familyOf(readKeeperFile(home)?.pid ?? 0)];
    expect(family.length).toBeGreaterThanOrEqual(3);
    first.child.kill('SIGINT');
    expect(await first.end()).toBe(0);
    expect(stillRunning(family)).toEqual([]);

    stubMaven(jars, '');
    const second = await startUp(env);
    second.command.child.kill('SIGINT');
    expect(await second.command.end()).toBe(0);
    expect(stillRunning(second.family)).toEqual([]);
  });
});
