import { setMaxListeners } from 'node:events';
import { type Clock, systemClock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { KafkaRequestError } from './admin.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { Fetcher } from './consume/fetcher.ts';
import { offsetRange, offsetSince } from './consume/partition-offsets.ts';
import { readRange } from './consume/read-range.ts';
import type { ConsumedRecord } from './consume/record-batch-reader.ts';
import type { TopicPartition } from './ports.ts';

/** A record as it stands on a topic. */
export interface ReadRecord extends TopicPartition {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

/**
 * Where to begin: with everything that is kept, with what was written since a time (epoch milliseconds), or with the newest,
 * this many records of all topics together.
 */
export type Start = 'beginning' | { readonly sinceMs: number } | { readonly last: number };

function isLast(start: Start): start is { readonly last: number } {
  return start !== 'beginning' && 'last' in start;
}

export interface TopicReaderOptions {
  readonly cluster: ClusterOptions;
  readonly topics: readonly string[];
  readonly start: Start;
  /** Goes on with what comes, until `signal`. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Called once the records that were there at the start have been given out. */
  readonly onCaughtUp: () => void;
  readonly onRecord: (record: ReadRecord) => Promise<void> | void;
}

/** A partition, and what there is to read of it when reading begins. */
interface PartitionRange extends TopicPartition {
  readonly begin: number;
  /** Offset behind the last record of which it is known that it counts. */
  readonly end: number;
}

const clock: Clock = systemClock;

/**
 * Reads what is committed on topics, in no consumer group: first what is there, then what comes, as it comes. With `last`, what is
 * there is held until it is known whole, and given out by time; otherwise it is given out as it is read, in order within a partition
 * only, so that a topic may be larger than memory. A broker that goes away meanwhile is waited for.
 *
 * @throws {KafkaRequestError} when the cluster cannot be reached, or has no such topic.
 */
export async function readTopics(options: TopicReaderOptions): Promise<void> {
  const { topics, start, follow, onCaughtUp, onRecord, logger } = options;
  // Partitions that are still read when another one has failed end with it.
  const end = new AbortController();
  const signal = AbortSignal.any([options.signal, end.signal]);
  const cluster = new Cluster(options.cluster);
  const fetcher = new Fetcher({ cluster, clock, logger });
  // Every partition waits for the signal.
  setMaxListeners(0, signal);
  const give = oneByOne(onRecord);
  try {
    const partitions = await partitionsOf(cluster, topics);
    const ranges = await Promise.all(partitions.map((partition) => rangeOf(cluster, partition, signal)));
    if (isLast(start)) for (const record of await newest(cluster, ranges, start.last, signal)) await give(record);
    else await Promise.all(ranges.map((range) => readAll(cluster, range, start, signal, give)));
    if (signal.aborted) return;
    onCaughtUp();
    if (!follow) return;
    const failed = Promise.withResolvers<never>();
    for (const range of ranges) {
      fetcher.add(range, range.end, async ({ records }) => {
        for (const record of records) await give(placed(range, record)).catch(failed.reject);
      });
    }
    await Promise.race([failed.promise, aborted(signal)]);
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    end.abort();
    fetcher.stop();
    await cluster.close();
  }
}

/** @throws {KafkaRequestError} */
async function partitionsOf(cluster: Cluster, topics: readonly string[]): Promise<readonly TopicPartition[]> {
  try {
    await cluster.refresh(topics);
  } catch (error) {
    throw new KafkaRequestError(`Kafka: ${messageOf(error)}`, { cause: error });
  }
  return topics.flatMap((topic) => {
    const count = cluster.partitionsOf(topic);
    if (count === 0) throw new KafkaRequestError(`Kafka: there is no topic ${topic}`);
    return Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  });
}

async function rangeOf(cluster: Cluster, place: TopicPartition, signal: AbortSignal): Promise<PartitionRange> {
  const { begin, stableEnd: end } = await offsetRange(cluster, place, signal);
  return { ...place, begin, end };
}

async function readAll(
  cluster: Cluster,
  range: PartitionRange,
  start: 'beginning' | { readonly sinceMs: number },
  signal: AbortSignal,
  give: (record: ReadRecord) => Promise<void>,
): Promise<void> {
  const from =
    start === 'beginning'
      ? range.begin
      : await offsetSince({ cluster, topic: range.topic, partition: range.partition, sinceMs: start.sinceMs, signal });
  if (from === undefined) return;
  const onRecords = async (records: readonly ConsumedRecord[]): Promise<void> => {
    for (const record of records) await give(placed(range, record));
  };
  const { topic, partition, end } = range;
  await readRange({ cluster, topic, partition, from, end, clock, signal, onRecords });
}

/** The `count` newest records of all partitions together, by time. */
async function newest(
  cluster: Cluster,
  ranges: readonly PartitionRange[],
  count: number,
  signal: AbortSignal,
): Promise<readonly ReadRecord[]> {
  const found = await Promise.all(ranges.map((range) => newestOf(cluster, range, count, signal)));
  const byTime = found.flat().sort((one, other) => one.timestampMs - other.timestampMs);
  return byTime.slice(Math.max(0, byTime.length - count));
}

/** The `count` newest records of a partition: offsets are also those of control records and of what compaction has removed. */
async function newestOf(
  cluster: Cluster,
  range: PartitionRange,
  count: number,
  signal: AbortSignal,
): Promise<readonly ReadRecord[]> {
  const { topic, partition, begin, end } = range;
  for (let span = count; ; span *= 4) {
    const from = Math.max(begin, end - span);
    const found: ReadRecord[] = [];
    const onRecords = (records: readonly ConsumedRecord[]): void => {
      for (const record of records) found.push(placed(range, record));
      if (found.length > count) found.splice(0, found.length - count);
    };
    await readRange({ cluster, topic, partition, from, end, clock, signal, onRecords });
    if (found.length >= count || from === begin) return found;
  }
}

function placed({ topic, partition }: TopicPartition, { headers = {}, ...record }: ConsumedRecord): ReadRecord {
  return { topic, partition, ...record, headers };
}

/** `take`, each call when the one before has ended, whoever calls. */
function oneByOne(take: (record: ReadRecord) => Promise<void> | void): (record: ReadRecord) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (record) => {
    last = last.then(() => take(record));
    return last;
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
