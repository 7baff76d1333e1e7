import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareHome } from '../../../dev/folders.ts';
import { runCli } from '../../support/cli.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

describe('prepareHome', () => {
  it('makes the folders that are missing, for their owner alone', () => {
    const above = join(makeTestFolder(), 'above');
    prepareHome(join(above, 'home'));
    expect(statSync(above).mode & 0o777).toBe(0o700);
    expect(statSync(join(above, 'home')).mode & 0o777).toBe(0o700);
  });

  it('names a path that is a file', () => {
    const file = join(makeTestFolder(), 'home');
    writeFileSync(file, '');
    expect(() => prepareHome(file)).toThrow(
      `IMWATCH_HOME ${file} cannot be used, expected a folder that we may write: EEXIST: file already exists`,
    );
    expect(() => prepareHome(join(file, 'deeper'))).toThrow(/ENOTDIR|EEXIST/);
  });
});

describe('imwatch with an IMWATCH_HOME that cannot be used', () => {
  it.runIf(process.platform === 'linux')('says so at once', async () => {
    const { code, errors } = await runCli(['up'], { IMWATCH_HOME: '/proc/home', KAFKA_BROKERS: '' });
    expect(errors).toBe(
      "IMWATCH_HOME /proc/home cannot be used, expected a folder that we may write: ENOENT: no such file or directory, mkdir '/proc/home'\n",
    );
    expect(code).toBe(2);
  });

  it('and that is a file, still shows its settings', async () => {
    const file = join(makeTestFolder(), 'home');
    writeFileSync(file, '');
    expect((await runCli(['config'], { IMWATCH_HOME: file })).code).toBe(0);
  });
});
