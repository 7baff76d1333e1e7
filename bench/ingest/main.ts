// Ingest against the limit (bare Fastify) and the afternoon version, in alternating rounds: `npm run bench:ingest [-- --json]`.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireBroker, brokerSettings } from '../../dev/broker.ts';
import { freePort } from '../../dev/ports.ts';
import { homeFolder, homeSettings } from '../../lib/config/home.ts';
import { readSettings, textOf } from '../../lib/config/read.ts';
import { processSources } from '../../lib/config/sources.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';
import { Candidate } from './candidate.ts';
import { type ClosedLoop, closedLoop, type OpenLoop, openLoop, sdkAppId, token } from './load.ts';

const rounds = 5;
const roundSeconds = 6;
const openRate = 1_000;
const openSeconds = 10;

interface Round extends ClosedLoop {
  readonly cpuSeconds: number;
}

interface Result {
  readonly name: string;
  readonly rounds: readonly Round[];
  readonly open: OpenLoop;
  readonly residentMib: number;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const sources = processSources();
await using resources = new AsyncDisposableStack();

const cluster = await brokerAddresses();
const env = { ...sources.env, NODE_ENV: 'production' };
const candidates = [await startBare(), await startAfternoon(), await startOurs()];
for (const candidate of candidates) {
  say(`warming up: ${candidate.name}`);
  await closedLoop(candidate.url, roundSeconds, 0);
}
const found = new Map<Candidate, Round[]>(candidates.map((candidate) => [candidate, []]));
for (let round = 1; round <= rounds; round += 1) {
  for (const candidate of candidates) {
    say(`round ${round} of ${rounds}: ${candidate.name}`);
    const before = candidate.cpuSeconds;
    const loop = await closedLoop(candidate.url, roundSeconds, round);
    found.get(candidate)?.push({ ...loop, cpuSeconds: candidate.cpuSeconds - before });
  }
}
const results: Result[] = [];
for (const candidate of candidates) {
  say(`${openRate} a second: ${candidate.name}`);
  const open = await openLoop(candidate.url, openRate, openSeconds, rounds + 1);
  results.push({ name: candidate.name, rounds: found.get(candidate) ?? [], open, residentMib: candidate.residentMib });
}
const acknowledged = await recordsOfOurs();
process.stdout.write(
  process.argv.includes('--json') ? `${JSON.stringify({ results, acknowledged }, null, 2)}\n` : `${tableOf()}\n`,
);

async function brokerAddresses(): Promise<Record<'KAFKA_BROKERS' | 'SCHEMA_REGISTRY_URL', string>> {
  const given = textOf(sources, 'KAFKA_BROKERS')?.text;
  if (given !== undefined) {
    return { KAFKA_BROKERS: given, SCHEMA_REGISTRY_URL: textOf(sources, 'SCHEMA_REGISTRY_URL')?.text ?? '' };
  }
  const home = homeFolder(readSettings(homeSettings, sources));
  const { broker: kind } = readSettings(brokerSettings, sources);
  const { signal } = new AbortController();
  const lease = await acquireBroker({ home, kind, env: sources.env, onProgress: say, signal });
  resources.defer(() => lease.release());
  return { KAFKA_BROKERS: lease.brokers, SCHEMA_REGISTRY_URL: lease.registryUrl };
}

async function keep(starting: Promise<Candidate>): Promise<Candidate> {
  const candidate = await starting;
  resources.defer(() => candidate.stop());
  return candidate;
}

async function startBare(): Promise<Candidate> {
  const port = await freePort(undefined);
  return keep(Candidate.start('bare Fastify', port, [join(import.meta.dirname, 'bare.ts'), String(port)], env));
}

async function startAfternoon(): Promise<Candidate> {
  const port = await freePort(undefined);
  const { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: registry } = cluster;
  const args = [join(import.meta.dirname, 'afternoon.ts'), String(port), brokers, registry];
  return keep(Candidate.start('afternoon version', port, args, env));
}

async function startOurs(): Promise<Candidate> {
  const [port, management] = [await freePort(undefined), await freePort(undefined)];
  const ours = {
    ...env,
    ...cluster,
    IMWATCH_ENV_FILE: '',
    IMWATCH_SDK_APP_ID: String(sdkAppId),
    IMWATCH_TOKEN: token,
    IMWATCH_TOPIC_PREFIX: 'bench',
    IMWATCH_LOG_LEVEL: 'warn',
    INGEST_HOST: '127.0.0.1',
    INGEST_PORT: String(port),
    INGEST_MANAGEMENT_PORT: String(management),
    INGEST_SPOOL_DIR: mkdtempSync(join(tmpdir(), 'imwatch-bench-spool-')),
  };
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${management}/ready`);
    return ((await answer.json()) as { status: string }).status === 'ready';
  };
  const program = join(import.meta.dirname, '../../cli/imwatch.ts');
  return keep(Candidate.start('imwatch ingest', port, [program, 'ingest'], ours, isReady));
}

/** Records on the topic of verdicts, beside what was acknowledged. */
async function recordsOfOurs(): Promise<number> {
  const values = readSettings(kafkaSettings, { env: cluster, file: {}, running: {} });
  const admin = createKafka(values, 'imwatch-bench', silentLogger).admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets('bench.verdict.v1');
  await admin.disconnect();
  return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
}

function tableOf(): string {
  const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
  const cpu = ({ requests, cpuSeconds }: Round): number => (100_000 * cpuSeconds) / requests;
  const limit = median(results[0]?.rounds.map(cpu) ?? []);
  const head = [
    '',
    'CPU s / 100k',
    'spread',
    'of the limit',
    'requests/s',
    'p50 ms',
    'p99 ms',
    `p99 at ${openRate}/s`,
    'p99.9',
    'MiB',
  ];
  const rows = results.map(({ name, rounds: each, open, residentMib }) => {
    const cpus = each.map(cpu);
    return [
      name,
      median(cpus).toFixed(2),
      `${Math.min(...cpus).toFixed(2)}–${Math.max(...cpus).toFixed(2)}`,
      `${((100 * limit) / median(cpus)).toFixed(0)} %`,
      median(each.map(({ perSecond }) => perSecond)).toFixed(0),
      median(each.map(({ p50Ms }) => p50Ms)).toFixed(1),
      median(each.map(({ p99Ms }) => p99Ms)).toFixed(1),
      open.p99Ms.toFixed(1),
      open.p999Ms.toFixed(1),
      residentMib.toFixed(0),
    ];
  });
  const failed = results.flatMap(({ rounds: each, open }) => [...each.map((round) => round.failed), open.failed]);
  return [
    ...[head, ...rows].map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(18) : cell.padStart(15))).join(''),
    ),
    `answers that were not 200: ${failed.reduce((sum, count) => sum + count, 0)}; records of imwatch on the topic: ${acknowledged}`,
  ].join('\n');
}
