import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { startDocker } from '../../../dev/docker/backend.ts';
import { stubProgram } from '../../support/stub-program.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

let home: string;
let giveUp: AbortController;
beforeEach(() => {
  home = makeTestFolder();
  giveUp = new AbortController();
});

/** A start with a docker whose containers never get ready. */
function startThatHangs(startTimeoutMs?: number) {
  const cases = [
    `*" ps "*) echo 'kafka is running (healthy)'; echo 'registry is running (unhealthy)';;`,
    `*" logs "*) echo 'registry-1  | no topic';;`,
    `*" up "*) touch ${home}/up; exec sleep 600;;`,
    `*" down"*) touch ${home}/down;;`,
  ];
  stubProgram(join(home, 'bin'), 'docker', `case "$*" in ${cases.join(' ')} esac`);
  const env = { PATH: `${join(home, 'bin')}:/usr/bin:/bin` };
  const onProgress = (): void => undefined;
  return startDocker({ home, env, onProgress, onChild: () => undefined, signal: giveUp.signal }, startTimeoutMs);
}

describe('containers that do not start', () => {
  it('are removed after a time; the message has their states, a file their logs', async () => {
    const logFile = join(home, 'broker/docker/containers.log');
    await expect(startThatHangs(300)).rejects.toThrow(
      `The containers of Kafka and the registry do not start: they did not answer within 0.3 s (kafka is running (healthy), registry is running (unhealthy)); their log is ${logFile}`,
    );
    expect(readFileSync(logFile, 'utf8')).toBe('registry-1  | no topic\n');
    expect(existsSync(join(home, 'down'))).toBe(true);
  });

  it('say why also where they cannot be removed', async () => {
    const cases = `*" up "*) echo 'no space left'; exit 1;; *" down"*) echo 'engine went away'; exit 1;;`;
    stubProgram(join(home, 'bin'), 'docker', `case "$*" in ${cases} esac`);
    const env = { PATH: `${join(home, 'bin')}:/usr/bin:/bin` };
    const ignore = (): void => undefined;
    const started = startDocker({ home, env, onProgress: ignore, onChild: ignore, signal: giveUp.signal });
    await expect(started).rejects.toThrow(/^The containers of Kafka and the registry do not start: .*no space left/);
  });

  it('are removed when the start is given up', async () => {
    const started = startThatHangs();
    started.catch(() => undefined);
    await expect.poll(() => existsSync(join(home, 'up'))).toBe(true);
    giveUp.abort(new Error('Ctrl-C'));
    await expect(started).rejects.toThrow('Ctrl-C');
    expect(existsSync(join(home, 'down'))).toBe(true);
  });
});
