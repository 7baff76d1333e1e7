import { Command, InvalidArgumentError } from 'commander';
import { restoreBody } from '../../ingest/tencent/restore.ts';
import { readSettings } from '../../lib/config/read.ts';
import { messageOf, UserError } from '../../lib/errors.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { type ReadRecord, readTopics } from '../../lib/kafka/topic-reader.ts';
import { createLogger } from '../../lib/logger.ts';
import { watchStopSignals } from '../../lib/stop-signals.ts';
import { decodeAs, schemaIdOf } from '../../schemas/codec.ts';
import type { Envelope } from '../../schemas/generated/events.ts';
import { createSchemaRegistry, type SchemaRegistry } from '../../schemas/registry.ts';
import { clusterProblems, clusterSettings } from '../../schemas/settings.ts';
import { topics as allTopics, topicIds, topicName } from '../../schemas/topics.ts';
import { exitCodes } from '../exit-codes.ts';
import { bold, dim, escapeControls, note, print } from '../output.ts';
import { commandSources } from '../settings.ts';

interface Options {
  readonly last: number;
  readonly fromBeginning?: boolean;
  readonly follow: boolean;
  readonly body?: boolean;
  readonly json?: boolean;
}

export function tailCommand(): Command {
  return new Command('tail')
    .description('show the events of topics, decoded, as they come')
    .argument('[topics...]', `${topicIds.join(', ')} or full names; none means all of imwatch`)
    .option('-n, --last <count>', 'begin with this many events that are there already', wholeNumber, 10)
    .option('--from-beginning', 'begin with all events that are kept')
    .option('--no-follow', 'end after the events that are there')
    .option('--body', 'the body that each callback came with, as JSON, one a line')
    .option('--json', 'an event a line as JSON')
    .action((topics: string[], options: Options) => tail(topics, options));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

async function tail(wanted: readonly string[], options: Options): Promise<void> {
  const values = readSettings(clusterSettings, await commandSources(), clusterProblems);
  const logger = createLogger('tail', { logLevel: 'error', logFormat: 'pretty' });
  const kafka = createKafka(values, 'imwatch-tail', logger);
  const present = await withAdmin(kafka, (admin) => admin.listTopics());
  const topics = chooseTopics(wanted, values.topicPrefix, present);

  const registry = createSchemaRegistry(values);
  const stop = new AbortController();
  watchStopSignals(
    () => stop.abort(),
    () => process.exit(exitCodes.interrupted),
  );
  await readTopics({
    cluster: clusterOptions(values, 'imwatch-tail'),
    logger,
    topics,
    start: options.fromBeginning === true ? 'beginning' : { last: options.last },
    follow: options.follow,
    signal: stop.signal,
    onCaughtUp: () => {
      if (options.follow) note(dim(`waiting for events on ${topics.join(', ')} (Ctrl-C ends)`));
    },
    onRecord: async (record) => {
      const decoded = await decode(registry, record);
      if (options.body === true) printBody(decoded);
      else print(options.json === true ? JSON.stringify(asJson(record, decoded)) : forPeople(record, decoded));
    },
  });
}

function chooseTopics(wanted: readonly string[], prefix: string, present: readonly string[]): readonly string[] {
  const known = topicIds.map((id) => topicName(prefix, id));
  if (wanted.length === 0) {
    // What services keep for themselves is of interest to whoever names it.
    const shared = topicIds.filter((id) => allTopics[id].retentionDays !== null).map((id) => topicName(prefix, id));
    const found = shared.filter((topic) => present.includes(topic));
    if (found.length === 0) throw new UserError(`None of imwatch's topics exists; run \`imwatch topics create\``);
    return found;
  }
  return wanted.map((name) => {
    const id = topicIds.find((candidate) => candidate === name);
    const topic = id === undefined ? name : topicName(prefix, id);
    if (!present.includes(topic)) throw new UserError(`No topic ${topic}, expected one of ${known.join(', ')}`);
    return topic;
  });
}

type Decoded =
  | { readonly schemaId: number; readonly value: unknown }
  | { readonly problem: string }
  | { readonly tombstone: true };

async function decode(registry: SchemaRegistry, { value }: ReadRecord): Promise<Decoded> {
  if (value === null) return { tombstone: true };
  const schemaId = schemaIdOf(value);
  if (schemaId === undefined) return { problem: 'not in Confluent wire format' };
  try {
    return { schemaId, value: decodeAs(await registry.writerType(schemaId), value) };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** The body of a callback's event; what is no event of a callback has none. */
function printBody(decoded: Decoded): void {
  if ('value' in decoded && isEnvelope(decoded.value)) print(JSON.stringify(restoreBody(decoded.value)));
}

function isEnvelope(value: unknown): value is Envelope {
  return typeof value === 'object' && value !== null && 'extras' in value && 'command' in value;
}

function asJson(record: ReadRecord, decoded: Decoded): unknown {
  const { topic, partition, offset, timestampMs } = record;
  const headers = Object.fromEntries(Object.entries(record.headers).map(([name, value]) => [name, String(value)]));
  const place = {
    topic,
    partition,
    offset: Number(offset),
    timestamp: timestampMs,
    key: record.key?.toString() ?? null,
  };
  if ('problem' in decoded)
    return { ...place, headers, problem: decoded.problem, bytes: record.value?.toString('base64') };
  if ('tombstone' in decoded) return { ...place, headers, value: null };
  return { ...place, headers, schemaId: decoded.schemaId, value: plain(decoded.value) };
}

function forPeople(record: ReadRecord, decoded: Decoded): string {
  const time = new Date(record.timestampMs).toISOString();
  const place = `${record.topic} ${dim(`[${record.partition}] @${record.offset}`)}`;
  const head = `${dim(time)} ${bold(place)} key ${escapeControls(record.key?.toString() ?? '-')}`;
  if ('problem' in decoded) return `${head}\n  cannot be decoded: ${escapeControls(decoded.problem)}`;
  if ('tombstone' in decoded) return `${head}\n  deleted`;
  const fields = Object.entries(plain(decoded.value) as Record<string, unknown>).filter(([, value]) =>
    isTelling(value),
  );
  const width = Math.max(0, ...fields.map(([name]) => name.length));
  const lines = fields.map(([name, value]) => `  ${dim(name.padEnd(width))}  ${readable(name, value)}`);
  return [head, ...lines].join('\n');
}

/** Fields that are times, by what they are called in our schemas. */
const timeNames = /(At|Time|Start)$|^(at|until)$/;

function isTelling(value: unknown): boolean {
  if (value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** Times by name as text, texts as they are, anything else as JSON. */
function readable(name: string, value: unknown): string {
  if (typeof value === 'number' && timeNames.test(name)) return new Date(value).toISOString();
  return escapeControls(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A decoded value as JSON can write it: bytes as text where they are UTF-8, else as base64. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) {
    const text = value.toString('utf8');
    return Buffer.from(text).equals(value) ? text : { base64: value.toString('base64') };
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]));
  }
  return value;
}
