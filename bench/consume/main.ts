// What the runtime of the consumers reaches: `npm run bench:consume [-- part…]`.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { acquireBroker, brokerSettings } from '../../dev/broker.ts';
import { homeFolder, homeSettings } from '../../lib/config/home.ts';
import { readSettings } from '../../lib/config/read.ts';
import { processSources } from '../../lib/config/sources.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';
import { serviceNodeFlags } from '../../lib/node-flags.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const sources = processSources();
const home = homeFolder(readSettings(homeSettings, sources));
const { broker: kind } = readSettings(brokerSettings, sources);
const { signal } = new AbortController();
const lease = await acquireBroker({ home, kind, env: sources.env, onProgress: say, signal });
const folder = mkdtempSync(join(tmpdir(), 'imwatch-bench-'));

/** Runs one measurement in a process of its own, with topics of its own unless `more` says which. */
async function run(script: string, more: Readonly<Record<string, string>> = {}): Promise<Record<string, number>> {
  const env = {
    ...sources.env,
    KAFKA_BROKERS: lease.brokers,
    SCHEMA_REGISTRY_URL: lease.registryUrl,
    IMWATCH_ENV_FILE: '',
    IMWATCH_TOPIC_PREFIX: `bench-${randomBytes(4).toString('hex')}`,
    CONSUMER_STATE_DIR: join(folder, randomBytes(4).toString('hex')),
    ...more,
  };
  const args = [...serviceNodeFlags, join(import.meta.dirname, `${script}.ts`)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as Record<string, number>;
}

const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  decode: () => run('decode'),
  commits: () => run('commits'),
  handle: () => run('handle'),
  throughput: async () => {
    const runs: Record<string, number>[] = [];
    for (let number = 0; number < throughputRuns; number += 1) runs.push(await run('throughput'));
    return Object.fromEntries(
      Object.keys(runs[0] ?? {}).map((name) => [
        name,
        { median: median(runs, name), runs: runs.map((each) => each[name]) },
      ]),
    );
  },
  restore: async () => {
    const place = {
      IMWATCH_TOPIC_PREFIX: `bench-${randomBytes(4).toString('hex')}`,
      BENCH_FOLDER: join(folder, 'restore'),
    };
    await run('restore', { ...place, BENCH_PART: 'write' });
    return { fromTopic: await run('restore', place), fromSnapshot: await run('restore', place) };
  },
  stalls: () => run('stalls'),
  idle: () => run('idle'),
};

/** The machine is noisy: of several runs the one in the middle is told. */
const throughputRuns = 5;

function median(runs: readonly Readonly<Record<string, number>>[], name: string): number | undefined {
  return runs.map((each) => each[name] ?? Number.NaN).toSorted((one, other) => one - other)[
    Math.floor(runs.length / 2)
  ];
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
for (const name of wanted) {
  say(name);
  process.stdout.write(`${name}: ${JSON.stringify(await parts[name]?.())}\n`);
}

const values = readSettings(kafkaSettings, { env: { KAFKA_BROKERS: lease.brokers }, file: {}, running: {} });
const admin = createKafka(values, 'imwatch-bench', silentLogger).admin();
await admin.connect();
const topics = (await admin.listTopics()).filter((topic) => topic.startsWith('bench-'));
await admin.deleteTopics({ topics });
await admin.disconnect();
await lease.release();
rmSync(folder, { recursive: true, force: true });
