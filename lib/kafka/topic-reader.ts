import { randomUUID } from 'node:crypto';
import type { Admin, IHeaders, Kafka, KafkaMessage } from 'kafkajs';
import { messageOf } from '../errors.ts';
import { KafkaRequestError, withAdmin } from './admin.ts';

/** A record as it stands on a topic. */
export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
}

/**
 * Where to begin: with everything that is kept, with what was written since a time (epoch milliseconds), or with the newest,
 * this many records of all topics together.
 */
export type Start = 'beginning' | { readonly sinceMs: number } | { readonly last: number };

function isLast(start: Start): start is { readonly last: number } {
  return start !== 'beginning' && 'last' in start;
}

function isSince(start: Start): start is { readonly sinceMs: number } {
  return start !== 'beginning' && 'sinceMs' in start;
}

interface PartitionRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  /** Offset behind the last record at the time of asking. */
  readonly end: bigint;
}

export interface TopicReaderOptions {
  readonly kafka: Kafka;
  readonly topics: readonly string[];
  readonly start: Start;
  /** Goes on with what comes, until `signal`. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Called once the records that were there at the start have been given out. */
  readonly onCaughtUp: () => void;
  readonly onRecord: (record: ReadRecord) => Promise<void>;
}

/**
 * Reads topics in a consumer group of its own that commits nothing: first what is there, then what comes, as it comes. With
 * `last`, what is there is held until it is known whole, and given out by time; otherwise it is given out as it is read, in
 * order within a partition only, so that a topic may be larger than memory.
 *
 * @throws {KafkaRequestError} when the cluster cannot be read.
 */
export async function readTopics(options: TopicReaderOptions): Promise<void> {
  const { kafka, topics, start, follow, signal, onRecord } = options;
  const ranges = await rangesOf(kafka, topics, start);
  const backlog = new Backlog(ranges, start);
  const finished = Promise.withResolvers<void>();
  let caughtUp = false;
  const catchUp = async (): Promise<void> => {
    for (const record of backlog.records()) await onRecord(record);
    caughtUp = true;
    options.onCaughtUp();
  };
  const isHeld = (): boolean => isLast(start) && !caughtUp;
  if (backlog.isComplete) await catchUp();
  if (caughtUp && !follow) return;

  const groupId = `imwatch-reader-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, retry: { retries: 10 } });
  // A join begins where the one before has ended, so that a rebalance or a restart neither skips nor repeats.
  const next = new Map(ranges.map((range) => [placeOf(range), range.from]));
  consumer.on('consumer.group_join', () => {
    for (const { topic, partition } of ranges) {
      consumer.seek({ topic, partition, offset: String(next.get(placeOf({ topic, partition }))) });
    }
  });
  consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
    if (!restart) finished.reject(new KafkaRequestError(`Kafka: ${messageOf(error)}`, { cause: error }));
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, heartbeat }) => {
        const { topic, partition } = batch;
        for (const message of batch.messages) {
          const record = recordOf(topic, partition, message);
          if (isHeld()) backlog.add(record);
          else await onRecord(record);
          await heartbeat();
        }
        const behind = BigInt(batch.lastOffset()) + 1n;
        next.set(placeOf(batch), behind);
        backlog.reached(batch, behind);
        if (backlog.isComplete && !caughtUp) await catchUp();
        if (caughtUp && !follow) finished.resolve();
      },
    });
    signal.addEventListener('abort', () => finished.resolve(), { once: true });
    if (signal.aborted) finished.resolve();
    await finished.promise;
  } finally {
    await consumer.disconnect();
  }
}

/** The records that are there when reading begins, and those that come until they have all been read; holds what is added. */
class Backlog {
  readonly #last: number;
  readonly #ends: ReadonlyMap<string, bigint>;
  readonly #unread: Set<string>;
  readonly #earlier: ReadRecord[] = [];
  readonly #since: ReadRecord[] = [];

  constructor(ranges: readonly PartitionRange[], start: Start) {
    this.#last = isLast(start) ? start.last : 0;
    this.#ends = new Map(ranges.map((range) => [placeOf(range), range.end]));
    this.#unread = new Set(ranges.filter(({ from, end }) => from < end).map(placeOf));
  }

  get isComplete(): boolean {
    return this.#unread.size === 0;
  }

  add(record: ReadRecord): void {
    const wasThere = BigInt(record.offset) < (this.#ends.get(placeOf(record)) ?? 0n);
    (wasThere ? this.#earlier : this.#since).push(record);
  }

  /** A partition has been read up to `behind`, the offset after the last; that may be one of a control record. */
  reached(partition: Place, behind: bigint): void {
    const place = placeOf(partition);
    if (behind >= (this.#ends.get(place) ?? 0n)) this.#unread.delete(place);
  }

  /** Those that were there, by time and as many as are wanted, then those that have come since. */
  records(): readonly ReadRecord[] {
    this.#earlier.sort((a, b) => a.timestampMs - b.timestampMs);
    const skipped = Math.max(0, this.#earlier.length - this.#last);
    return [...this.#earlier.slice(skipped), ...this.#since];
  }
}

interface Place {
  readonly topic: string;
  readonly partition: number;
}

function placeOf({ topic, partition }: Place): string {
  return `${topic}/${partition}`;
}

async function rangesOf(kafka: Kafka, topics: readonly string[], start: Start): Promise<readonly PartitionRange[]> {
  return withAdmin(kafka, async (admin) => {
    return (await Promise.all(topics.map((topic) => topicRanges(admin, topic, start)))).flat();
  });
}

async function topicRanges(admin: Admin, topic: string, start: Start): Promise<readonly PartitionRange[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  const since = isSince(start) ? await admin.fetchTopicOffsetsByTimestamp(topic, start.sinceMs) : [];
  return offsets.map(({ partition, high, low }) => {
    const end = BigInt(high);
    const first = BigInt(low);
    const wanted = isLast(start)
      ? end - BigInt(start.last)
      : BigInt(since.find((each) => each.partition === partition)?.offset ?? low);
    return { topic, partition, from: wanted > first ? wanted : first, end };
  });
}

function recordOf(topic: string, partition: number, message: KafkaMessage): ReadRecord {
  const { offset, key, value, headers = {} } = message;
  return { topic, partition, offset, timestampMs: Number(message.timestamp), key, value, headers };
}
