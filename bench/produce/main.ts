// What the clients for Kafka cost ingest, by the size of its batches, in alternating rounds: `npm run bench:produce`.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { acquireBroker, brokerSettings } from '../../dev/broker.ts';
import { homeFolder, homeSettings } from '../../lib/config/home.ts';
import { readSettings } from '../../lib/config/read.ts';
import { processSources } from '../../lib/config/sources.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';

const clients = ['kafkajs', 'kafkajs, our encoder', 'platformatic', 'platformatic, our requests'] as const;
const batchSizes = [8, 32, 128];
const rounds = 5;

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const sources = processSources();
const home = homeFolder(readSettings(homeSettings, sources));
const { broker: kind } = readSettings(brokerSettings, sources);
const { signal } = new AbortController();
const lease = await acquireBroker({ home, kind, env: sources.env, onProgress: say, signal });
const env = { ...sources.env, KAFKA_BROKERS: lease.brokers, IMWATCH_ENV_FILE: '' };
const topic = `bench-produce-${randomBytes(4).toString('hex')}`;
const admin = createKafka(
  readSettings(kafkaSettings, { env, file: {}, running: {} }),
  'imwatch-bench',
  silentLogger,
).admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic, numPartitions: 12, replicationFactor: 1 }], waitForLeaders: true });

const found = new Map<string, number[]>();
for (let round = 1; round <= rounds; round += 1) {
  for (const size of batchSizes) {
    for (const client of clients) {
      say(`round ${round} of ${rounds}: ${client}, batches of ${size}`);
      const args = [join(import.meta.dirname, 'one.ts'), client, topic, String(size)];
      const { stdout } = await promisify(execFile)(process.execPath, args, { env });
      const name = `${client}/${size}`;
      found.set(name, [...(found.get(name) ?? []), Number(stdout)]);
    }
  }
}
await admin.deleteTopics({ topics: [topic] });
await admin.disconnect();
await lease.release();

const head = ['CPU µs a record, median (min)', ...batchSizes.map((size) => `batches of ${size}`)];
const rows = clients.map((client) => [
  client,
  ...batchSizes.map((size) => cellOf(found.get(`${client}/${size}`) ?? [])),
]);
for (const [first = '', ...cells] of [head, ...rows]) {
  process.stdout.write(`${first.padEnd(32)}${cells.map((cell) => cell.padStart(18)).join('')}\n`);
}

function cellOf(micros: readonly number[]): string {
  const sorted = micros.toSorted((a, b) => a - b);
  return `${sorted[sorted.length >> 1]?.toFixed(1)} (${sorted[0]?.toFixed(1)})`;
}
