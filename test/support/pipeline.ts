import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { inject } from 'vitest';
import { freePort } from '../../dev/ports.ts';
import { readIngestConfig } from '../../ingest/config.ts';
import { startIngest } from '../../ingest/main.ts';
import { signOf } from '../../ingest/tencent/signature.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { readSettings } from '../../lib/config/read.ts';
import { clusterOptions } from '../../lib/kafka/client.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { type ReadRecord, readTopics } from '../../lib/kafka/topic-reader.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Readiness } from '../../lib/management-server.ts';
import { decodeAs, schemaIdOf } from '../../schemas/codec.ts';
import type { RecordName, RecordOf } from '../../schemas/generated/events.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { schemaSettings } from '../../schemas/settings.ts';
import { type TopicId, topicName, type topics } from '../../schemas/topics.ts';
import { queryString, sdkAppId, verdictCommand } from './callbacks.ts';

export const token = 'xxxxyyyy';

/** A folder for a spool, removed at the end of this process. */
export function aSpoolFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'imwatch-spool-'));
  if (folders.length === 0) process.once('exit', removeFolders);
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

/** Variables for a service of its own: an app, free ports, topics of its own with few partitions. */
export function serviceEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    IMWATCH_SDK_APP_ID: String(sdkAppId),
    IMWATCH_TOKEN: token,
    IMWATCH_TOPIC_PREFIX: `test-${randomBytes(4).toString('hex')}`,
    IMWATCH_PARTITIONS: '3',
    INGEST_HOST: '127.0.0.1',
    INGEST_PORT: '0',
    INGEST_MANAGEMENT_PORT: '0',
    INGEST_SPOOL_DIR: more['INGEST_SPOOL_DIR'] ?? aSpoolFolder(),
    CONSUMER_STATE_DIR: aSpoolFolder(),
    ANALYTICS_MANAGEMENT_PORT: '0',
    PENALTIES_MANAGEMENT_PORT: '0',
    ALERTING_MANAGEMENT_PORT: '0',
    ...more,
  };
}

export interface Answer {
  readonly status: number;
  readonly answer: unknown;
}

/** Ingest as a whole, in this process, on a real broker. */
export async function startTestIngest(more: Readonly<Record<string, string>> = {}) {
  const env = serviceEnvironment({ ...inject('cluster'), ...more });
  const sources = { env, file: {}, running: {} };
  const config = readIngestConfig(sources);
  const service = await startIngest(config, silentLogger);
  const { callbacks = '', management = '' } = service.addresses;
  const readiness = async (): Promise<Readiness> => {
    const { body } = await request(`${management}/ready`);
    return (await body.json()) as Readiness;
  };
  const metrics = async (): Promise<string> => (await request(`${management}/metrics`)).body.text();

  return {
    config,
    env,
    prefix: config.topicPrefix,
    url: callbacks,
    readiness,
    metrics,
    ready: async () => {
      while ((await readiness()).status !== 'ready') await sleep(systemClock, 50);
    },
    /** Posts a body, signed for now unless the query says otherwise. */
    post: (body: string | Buffer, about: PostOptions = {}): Promise<Answer> => postCallback(callbacks, body, about),
    /** Decoded records of a topic, once there are `count` of them. */
    read: <I extends TopicId>(id: I, count: number) => readDecoded(env, id, count),
    count: (id: TopicId) => countRecords(env, id),
    stop: () => service.stop(),
  };
}

export interface PostOptions {
  readonly command?: string | null;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** How far RequestTime is from now, in seconds. */
  readonly requestTimeOffsetSec?: number;
}

/** Posts a callback as Tencent would, with a right `Sign` unless `query` has another. */
export async function postCallback(url: string, body: string | Buffer, options: PostOptions = {}): Promise<Answer> {
  const { command = verdictCommand, query = {}, headers = {}, requestTimeOffsetSec = 0 } = options;
  const requestTimeSec = Math.floor(Date.now() / 1000) + requestTimeOffsetSec;
  const signed = { RequestTime: String(requestTimeSec), Sign: signOf(token, requestTimeSec), ...query };
  const response = await request(`${url}/?${queryString(command ?? undefined, signed)}`, {
    method: 'POST',
    body,
    headers: { ...headers },
  });
  return { status: response.statusCode, answer: await response.body.json() };
}

export interface DecodedRecord<N extends RecordName> {
  readonly raw: ReadRecord;
  readonly key: string;
  readonly value: RecordOf[N];
}

/** The first `count` records of a topic, decoded with the schema that the registry has for them, oldest first. */
export async function readDecoded<I extends TopicId>(
  env: Readonly<Record<string, string>>,
  id: I,
  count: number,
): Promise<readonly DecodedRecord<(typeof topics)[I]['record']>[]> {
  const sources = { env, file: {}, running: {} };
  const values = readSettings({ ...kafkaSettings, ...schemaSettings }, sources);
  const registry = createSchemaRegistry(values);
  const found: DecodedRecord<(typeof topics)[I]['record']>[] = [];
  const stop = new AbortController();
  await readTopics({
    cluster: clusterOptions(values, 'imwatch-test'),
    logger: silentLogger,
    topics: [topicName(values.topicPrefix, id)],
    start: 'beginning',
    follow: true,
    signal: stop.signal,
    onCaughtUp: () => undefined,
    onRecord: async (raw) => {
      if (found.length === count || raw.value === null) return;
      const type = await registry.writerType(schemaIdOf(raw.value) ?? 0);
      const value = decodeAs(type, raw.value) as RecordOf[(typeof topics)[I]['record']];
      found.push({ raw, key: raw.key?.toString() ?? '', value: { ...value } });
      if (found.length === count) stop.abort();
    },
  });
  return found.toSorted((a, b) => a.raw.timestampMs - b.raw.timestampMs);
}

/** How many records a topic holds. */
export async function countRecords(env: Readonly<Record<string, string>>, id: TopicId): Promise<number> {
  const values = readSettings({ ...kafkaSettings, ...schemaSettings }, { env, file: {}, running: {} });
  let count = 0;
  await readTopics({
    cluster: clusterOptions(values, 'imwatch-test'),
    logger: silentLogger,
    topics: [topicName(values.topicPrefix, id)],
    start: 'beginning',
    follow: false,
    signal: new AbortController().signal,
    onCaughtUp: () => undefined,
    onRecord: () => {
      count += 1;
    },
  });
  return count;
}

/** A port of this machine that nobody listens on. */
export function unusedPort(): Promise<number> {
  return freePort(undefined);
}
