import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKeeperFile } from '../../dev/keeper/protocol.ts';
import { processEnvironment } from '../../lib/config/sources.ts';
import { runCli } from '../support/cli.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { unusedPort } from '../support/pipeline.ts';
import { allEnded, familyOf, running, sendSignal, stillRunning } from '../support/processes.ts';
import { makeTestHome } from '../support/test-home.ts';
import { paste, startUp, upEnvironment, verdictsSeen } from '../support/up.ts';

let home: string;
let remove: () => void;
let env: Record<string, string>;
beforeEach(async () => {
  ({ home, remove } = makeTestHome());
  env = await upEnvironment(home, 'embedded');
});
afterEach(() => remove());

describe.skipIf(noEmbedded !== undefined)(`imwatch up${skipNote}`, () => {
  it('prints a curl line that works when pasted; Ctrl-C leaves no process; the next start has the events', async () => {
    const first = await startUp(env);
    expect(first.family.length).toBeGreaterThanOrEqual(5);
    expect(await paste(first.curl)).toEqual({ ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0 });
    expect(await verdictsSeen(env, 1)).toMatchObject([{ fromAccount: 'jared', label: 'Sexy' }]);
    first.command.child.kill('SIGINT');
    expect(await first.command.end()).toBe(0);
    expect(stillRunning(first.family)).toEqual([]);

    const second = await startUp(env);
    const [event] = await verdictsSeen(env, 1);
    await paste(second.curl);
    expect(await verdictsSeen(env, 2)).toMatchObject([event, { fromAccount: 'jared' }]);
    second.command.child.kill('SIGKILL');
    await allEnded(second.family);
  });

  it('shares its broker with a second one, and outlives it; a port in use is named', async () => {
    const first = await startUp(env);
    const clash = await runCli(['up'], env);
    expect(clash.code).toBe(2);
    expect(clash.output).toContain(`EADDRINUSE: address already in use 127.0.0.1:${env['INGEST_MANAGEMENT_PORT']}`);

    const ports = { INGEST_PORT: String(await unusedPort()), INGEST_MANAGEMENT_PORT: String(await unusedPort()) };
    const second = await startUp({ ...env, ...ports });
    await paste(first.curl);
    await paste(second.curl);
    first.command.child.kill('SIGINT');
    expect(await first.command.end()).toBe(0);
    await paste(second.curl);
    expect(await verdictsSeen(env, 3)).toHaveLength(3);
    second.command.child.kill('SIGINT');
    await second.command.end();
    expect(stillRunning([...first.family, ...second.family])).toEqual([]);
  });

  it('starts a killed ingest again', async () => {
    const { command, curl, family } = await startUp(env);
    const [ingest] = running(family, /start\.js ingest/);
    sendSignal(ingest, 'SIGKILL');
    await command.line(/ingest ended \(SIGKILL\), starting it again/);
    await expect
      .poll(() => paste(curl).catch(() => undefined), { timeout: 30_000 })
      .toMatchObject({ ActionStatus: 'OK' });
    command.child.kill('SIGINT');
    await command.end();
    await allEnded([...family, ...familyOf(command.child.pid ?? 0)]);
  });

  it('lends the addresses of what it runs to other commands', async () => {
    const { command } = await startUp(env);
    const { output } = await runCli(['config', '--json'], env);
    const { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: registry } = JSON.parse(output) as Record<string, unknown>;
    expect(brokers).toEqual({ value: expect.stringMatching(/^127.0.0.1:\d+$/), source: 'running' });
    expect(registry).toEqual({
      value: expect.stringMatching(/^http:\/\/127.0.0.1:\d+\/apis\/ccompat\/v7$/),
      source: 'running',
    });
    command.child.kill('SIGTERM');
    expect(await command.end()).toBe(0);
  });

  it('ends with npm when npm is killed', async () => {
    const npm = spawn('npm', ['start'], {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...processEnvironment(), NODE_ENV: '', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    npm.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await expect.poll(() => output, { timeout: 60_000 }).toContain('imwatch is up');
    const family = [...familyOf(npm.pid ?? 0), ...familyOf(readKeeperFile(home)?.pid ?? 0)];
    npm.kill('SIGKILL');
    await once(npm, 'exit');
    await allEnded(family);
  });
});

describe('imwatch up without a way to run Kafka', () => {
  it('names what to install, or Docker, or KAFKA_BROKERS', async () => {
    const { code, errors } = await runCli(['up'], {
      IMWATCH_HOME: join(home, 'empty'),
      PATH: '/nonexistent',
      JAVA_HOME: '',
    });
    expect(code).toBe(2);
    expect(errors.trim().split('\n')).toEqual([
      'There is no way to run Kafka here:',
      '  - in containers: no Docker engine answers',
      '  - as Java processes: Java 17 or newer is not installed and Maven (mvn) is not installed',
      'Do one of these:',
      '  - install Java 17 or newer and Maven',
      '  - install and start Docker',
      '  - set KAFKA_BROKERS and SCHEMA_REGISTRY_URL to a Kafka and a registry that run already',
    ]);
  });

  it('names a wrong setting before it looks for a broker', async () => {
    const { code, errors } = await runCli(['up'], { IMWATCH_HOME: home, PATH: '/nonexistent', INGEST_PORT: 'x' });
    expect(code).toBe(2);
    expect(errors).toContain('INGEST_PORT is "x"');
  });

  it('wants a registry beside KAFKA_BROKERS', async () => {
    const { code, errors } = await runCli(['up'], { IMWATCH_HOME: home, KAFKA_BROKERS: '127.0.0.1:1' });
    expect(code).toBe(2);
    expect(errors).toContain('SCHEMA_REGISTRY_URL is not set');
  });
});
