import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readKeeperFile } from '../../dev/keeper/protocol.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { CliProcess, runCli } from './cli.ts';
import { unusedPort } from './pipeline.ts';
import { familyOf } from './processes.ts';

const run = promisify(execFile);
const pollMs = 200;

interface Verdict {
  readonly receivedAt: string;
  readonly fromAccount: string;
  readonly label: string;
}

/** Variables for an `imwatch up` of its own, whatever the outside has set. */
export async function upEnvironment(home: string, broker: 'embedded' | ''): Promise<Record<string, string>> {
  return {
    IMWATCH_HOME: home,
    IMWATCH_BROKER: broker,
    IMWATCH_PARTITIONS: '2',
    KAFKA_BROKERS: '',
    SCHEMA_REGISTRY_URL: '',
    INGEST_PORT: String(await unusedPort()),
    INGEST_MANAGEMENT_PORT: String(await unusedPort()),
    ANALYTICS_MANAGEMENT_PORT: '0',
    PENALTIES_MANAGEMENT_PORT: '0',
    ALERTING_MANAGEMENT_PORT: '0',
  };
}

/** `imwatch up`, running: its curl line, and every process that belongs to it. */
export async function startUp(env: Readonly<Record<string, string>>) {
  const command = new CliProcess(['up'], env);
  const curl = await command.line(/^curl /);
  const keeper = readKeeperFile(env['IMWATCH_HOME'] ?? '');
  return { command, curl, family: [...familyOf(command.child.pid ?? 0), ...familyOf(keeper?.pid ?? 0)] };
}

/** Runs a line in a shell, as if it were pasted there, and reads what it prints as JSON. */
export async function paste(line: string): Promise<unknown> {
  const { stdout } = await run('sh', ['-c', line]);
  return JSON.parse(stdout);
}

/**
 * The verdicts on the topic, as `imwatch tail` shows them, each once, as soon as there are `count`: one that Kafka took late was
 * answered from the disk, and is written again from there.
 */
export async function verdictsSeen(env: Readonly<Record<string, string>>, count: number): Promise<readonly Verdict[]> {
  for (;;) {
    const seen = await verdictsOnTopic(env);
    if (seen.length >= count) return seen;
    await sleep(systemClock, pollMs);
  }
}

async function verdictsOnTopic(env: Readonly<Record<string, string>>): Promise<readonly Verdict[]> {
  const { output } = await runCli(['tail', 'verdict', '--no-follow', '--json'], env);
  const verdicts = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { value: Verdict }).value);
  return [...new Map(verdicts.map((verdict) => [verdict.receivedAt, verdict])).values()];
}
