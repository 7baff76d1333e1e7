import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { composeProject } from '../../dev/docker/backend.ts';
import { readKeeperFile } from '../../dev/keeper/protocol.ts';
import { CliProcess, runCli } from '../support/cli.ts';
import { containersOf, engineAnswers, engineNote } from '../support/engine.ts';
import { unusedPort } from '../support/pipeline.ts';
import { allEnded, familyOf } from '../support/processes.ts';
import { makeTestHome } from '../support/test-home.ts';

const run = promisify(execFile);

let home: string;
let remove: () => void;
let env: Record<string, string>;
beforeEach(async () => {
  ({ home, remove } = makeTestHome());
  env = {
    IMWATCH_HOME: home,
    IMWATCH_PARTITIONS: '2',
    IMWATCH_BROKER: '',
    KAFKA_BROKERS: '',
    SCHEMA_REGISTRY_URL: '',
    INGEST_PORT: String(await unusedPort()),
    INGEST_MANAGEMENT_PORT: String(await unusedPort()),
  };
});
afterEach(() => remove());

async function up() {
  const command = new CliProcess(['up'], env);
  const curl = await command.line(/^curl /);
  const family = [...familyOf(command.child.pid ?? 0), ...familyOf(readKeeperFile(home)?.pid ?? 0)];
  return { command, curl, family };
}

describe.skipIf(!engineAnswers)(`imwatch up where Docker answers${engineNote}`, () => {
  it('runs Kafka in containers by itself, leaves none behind, and has its events at the next start', async () => {
    const first = await up();
    expect(first.command.output).toContain('Kafka and registry run in containers');
    expect(containersOf(composeProject(home))).toHaveLength(2);
    const { stdout } = await run('sh', ['-c', first.curl]);
    expect(JSON.parse(stdout)).toMatchObject({ ActionStatus: 'OK' });
    first.command.child.kill('SIGINT');
    expect(await first.command.end()).toBe(0);
    expect(containersOf(composeProject(home))).toEqual([]);

    const second = await up();
    const { output } = await runCli(['tail', 'verdict', '--no-follow', '--json'], env);
    expect(JSON.parse(output)).toMatchObject({ offset: 0, value: { fromAccount: 'jared' } });
    second.command.child.kill('SIGKILL');
    await allEnded(second.family);
    expect(containersOf(composeProject(home))).toEqual([]);
  });
});
