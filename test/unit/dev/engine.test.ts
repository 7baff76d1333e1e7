import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { dockerTrouble, imagesTrouble, missingImages } from '../../../dev/docker/engine.ts';
import type { Environment } from '../../../dev/run-program.ts';
import { stubProgram } from '../../support/stub-program.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

let folder: string;
let env: Environment;
beforeEach(() => {
  folder = makeTestFolder();
  env = { PATH: `${folder}:/usr/bin:/bin`, HOME: '/home/of/the/caller', DOCKER_HOST: 'tcp://engine:2375' };
});

/** A docker without the image "kafka:1", which notes what it was asked for, and by whom. */
function stubDocker(onPull: string): void {
  const log = `echo "$HOME $DOCKER_HOST $*" >> ${folder}/asked`;
  const answer = `case "$*" in *--images*) printf 'kafka:1\\nregistry:1\\n';; "image inspect kafka:1") exit 1;;`;
  stubProgram(folder, 'docker', `${log}\n${answer} pull*) ${onPull};; esac`);
}

function asked(): readonly string[] {
  return readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n');
}

const never = new AbortController().signal;

describe('the Docker engine', () => {
  it('is asked without anything being pulled, and tells which images are missing', async () => {
    stubDocker('exit 1');
    expect(await dockerTrouble(env)).toBeUndefined();
    expect(await missingImages(env)).toEqual(['kafka:1']);
    expect(asked().filter((line) => line.includes(' pull '))).toEqual([]);
  });

  it('is always asked with the variables of the caller', async () => {
    stubDocker('exit 0');
    await dockerTrouble(env);
    expect(await imagesTrouble(env, () => undefined, never)).toBeUndefined();
    expect(asked()).toContain('/home/of/the/caller tcp://engine:2375 pull kafka:1');
    expect(asked().every((line) => line.startsWith('/home/of/the/caller tcp://engine:2375 '))).toBe(true);
  });

  it('that cannot pull says why', async () => {
    stubDocker('echo no route to the registry >&2; exit 3');
    expect(await imagesTrouble(env, () => undefined, never)).toBe(
      'its images cannot be had: docker pull kafka:1 failed (exit code 3): no route to the registry',
    );
  });

  it('pulls no longer than it is waited for', async () => {
    stubDocker(`touch ${folder}/pulls; exec sleep 600`);
    const giveUp = new AbortController();
    const pulled = imagesTrouble(env, () => undefined, giveUp.signal);
    pulled.catch(() => undefined);
    await expect.poll(() => existsSync(join(folder, 'pulls'))).toBe(true);
    giveUp.abort(new Error('Ctrl-C'));
    await expect(pulled).rejects.toThrow('Ctrl-C');
  });

  it('is missed where there is none', async () => {
    expect(await dockerTrouble({ PATH: folder })).toBe('no Docker engine answers');
  });
});
