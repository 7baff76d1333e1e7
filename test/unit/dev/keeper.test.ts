import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { composeProject } from '../../../dev/docker/backend.ts';
import { runningBroker, takeLease } from '../../../dev/keeper/lease.ts';
import { endLeftoversOfLost } from '../../../dev/keeper/leftovers.ts';
import {
  brokerFolder,
  type KeeperFile,
  keeperLockPath,
  keeperLogPath,
  messageIn,
  readKeeperFile,
  writeKeeperFile,
} from '../../../dev/keeper/protocol.ts';
import { processEnvironment } from '../../../lib/config/sources.ts';
import { ProcessLock } from '../../../lib/process-lock.ts';
import { allEnded, familyOf, running, stillRunning } from '../../support/processes.ts';
import { stubProgram } from '../../support/stub-program.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

let home: string;
beforeEach(() => {
  home = makeTestFolder();
});

/** The file of a keeper that was killed. */
function leaveKeeperFile(file: Partial<KeeperFile>): void {
  writeKeeperFile(home, { pid: process.pid, kind: 'embedded', port: 1, token: 'token', children: [], ...file });
}

/** A process with the command line of a Kafka whose files are in `folder`. */
function kafkaIn(folder: string): Promise<number> {
  return programWith('kafka.Kafka', join(folder, 'embedded/kafka/server.properties'));
}

/** A process with the command line of a Maven that fetches jars for `home`. */
function mavenFor(home: string): Promise<number> {
  return programWith('dependency:unpack', `-DoutputDirectory=${join(home, 'jars/kafka.part-1')}`);
}

/** A process that runs, with these arguments. */
async function programWith(...args: readonly string[]): Promise<number> {
  const script = "console.log('runs'); setInterval(() => 0, 1000)";
  const child = spawn(process.execPath, ['-e', script, '--', ...args]);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

describe('messageIn', () => {
  it.each(['HTTP/1.1 400 Bad Request', '', 'null', '7', '[]', '{"type":"lease"}'])('is nothing for %j', (line) => {
    expect(messageIn(line)).toBeUndefined();
  });

  it('is what a keeper says', () => {
    expect(messageIn('{"type":"progress","text":"starting"}')).toEqual({ type: 'progress', text: 'starting' });
  });
});

describe('the port of a keeper that was killed', () => {
  it.each([
    ['a server of another kind', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['one that speaks JSON', '{"error":"what do you want"}\n'],
    ['one that says nothing', ''],
  ])('may belong to %s now: then no keeper runs', async (_what, answer) => {
    const server = createServer((socket) => socket.on('error', () => undefined).end(answer)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const address = server.address();
    leaveKeeperFile({ port: typeof address === 'object' && address !== null ? address.port : 0 });
    expect(await runningBroker(home)).toBeUndefined();
  });
});

describe('a lease that is given up before its keeper answers', () => {
  it('leaves no keeper', async () => {
    const giveUp = new AbortController();
    const env = { PATH: '/nonexistent' };
    const request = { home, kind: 'embedded', env, onProgress: () => undefined, signal: giveUp.signal } as const;
    const taken = takeLease(request);
    taken.catch(() => undefined);
    await expect.poll(() => existsSync(keeperLogPath(home)), { interval: 5 }).toBe(true);
    giveUp.abort(new Error('Ctrl-C'));
    await expect(taken).rejects.toThrow('Ctrl-C');
    await expect.poll(() => running(familyOf(process.pid), new RegExp(`main\\.ts ${home}`))).toEqual([]);
    expect(readKeeperFile(home)).toBeUndefined();
  });
});

describe('what a killed keeper left', () => {
  it('is ended where it belongs to this home, and only there', async () => {
    const ours = [await kafkaIn(brokerFolder(home)), await mavenFor(home)];
    const others = [await kafkaIn(brokerFolder(`${home}-2`)), await mavenFor(`${home}-2`)];
    leaveKeeperFile({ children: [...ours, ...others, process.pid] });
    await endLeftoversOfLost(home, processEnvironment());
    await allEnded(ours);
    expect(stillRunning(others)).toEqual(others);
    expect(readKeeperFile(home)).toBeUndefined();
  });

  it('is removed where it runs in containers', async () => {
    stubProgram(join(home, 'bin'), 'docker', `echo "$*" > ${home}/asked`);
    leaveKeeperFile({ kind: 'docker' });
    await endLeftoversOfLost(home, { PATH: `${join(home, 'bin')}:/usr/bin:/bin` });
    expect(readFileSync(join(home, 'asked'), 'utf8')).toMatch(
      new RegExp(`^compose -p ${composeProject(home)} -f \\S+ down\\n$`),
    );
    expect(readKeeperFile(home)).toBeUndefined();
  });

  it('is left to the keeper that runs', async () => {
    stubProgram(join(home, 'bin'), 'docker', `touch ${home}/asked`);
    leaveKeeperFile({ kind: 'docker' });
    const lock = ProcessLock.tryTake(keeperLockPath(home));
    await endLeftoversOfLost(home, { PATH: `${join(home, 'bin')}:/usr/bin:/bin` });
    lock?.release();
    expect(existsSync(join(home, 'asked'))).toBe(false);
    expect(readKeeperFile(home)?.kind).toBe('docker');
  });
});
