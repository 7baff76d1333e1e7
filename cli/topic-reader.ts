import { randomUUID } from 'node:crypto';
import type { Admin, IHeaders, Kafka, KafkaMessage } from 'kafkajs';

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

/** Where to begin: with everything that is kept, or with this many records before the end of each topic. */
export type Start = 'beginning' | { readonly last: number };

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
 * Reads topics without leaving a trace on the cluster: first what is there, by time, then what comes, as it comes. With
 * `last`, only that many of the former, the newest of all topics together.
 */
export async function readTopics(options: TopicReaderOptions): Promise<void> {
  const { kafka, topics, start, follow, signal, onRecord } = options;
  const ranges = await rangesOf(kafka, topics, start);
  const ends = new Map(ranges.map((range) => [placeOf(range), range.end]));
  // A join begins where the one before has ended, so that a rebalance or a restart neither skips nor repeats.
  const next = new Map(ranges.map((range) => [placeOf(range), range.from]));
  const unread = new Set(ranges.filter(({ from, end }) => from < end).map(placeOf));
  const finished = Promise.withResolvers<void>();
  const earlier: ReadRecord[] = [];
  const since: ReadRecord[] = [];
  let caughtUp = false;

  const catchUp = async (): Promise<void> => {
    earlier.sort((a, b) => a.timestampMs - b.timestampMs);
    const wanted = start === 'beginning' ? earlier : earlier.slice(-start.last);
    for (const record of [...(start === 'beginning' || start.last > 0 ? wanted : []), ...since]) await onRecord(record);
    caughtUp = true;
    options.onCaughtUp();
    if (!follow) finished.resolve();
  };
  if (unread.size === 0) await catchUp();
  if (caughtUp && !follow) return;

  const groupId = `imwatch-tail-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, retry: { retries: 10 } });
  consumer.on('consumer.group_join', () => {
    for (const { topic, partition } of ranges) {
      consumer.seek({ topic, partition, offset: String(next.get(placeOf({ topic, partition })) ?? 0) });
    }
  });
  consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
    if (!restart) finished.reject(error);
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, heartbeat }) => {
        const { topic, partition } = batch;
        const place = placeOf({ topic, partition });
        const end = ends.get(place) ?? 0n;
        for (const message of batch.messages) {
          const record = recordOf(topic, partition, message);
          if (caughtUp) await onRecord(record);
          else if (BigInt(message.offset) < end) earlier.push(record);
          else since.push(record);
          await heartbeat();
        }
        // The last offset of a batch may be that of a control record, which is never given out.
        const behind = BigInt(batch.lastOffset()) + 1n;
        next.set(place, behind);
        if (behind >= end) unread.delete(place);
        if (unread.size === 0 && !caughtUp) await catchUp();
      },
    });
    signal.addEventListener('abort', () => finished.resolve(), { once: true });
    if (signal.aborted) finished.resolve();
    await finished.promise;
  } finally {
    await consumer.disconnect();
  }
}

function placeOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}

async function rangesOf(kafka: Kafka, topics: readonly string[], start: Start): Promise<readonly PartitionRange[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return (await Promise.all(topics.map((topic) => topicRanges(admin, topic, start)))).flat();
  } finally {
    await admin.disconnect();
  }
}

async function topicRanges(admin: Admin, topic: string, start: Start): Promise<readonly PartitionRange[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, high, low }) => {
    const end = BigInt(high);
    const first = BigInt(low);
    const wanted = start === 'beginning' ? first : end - BigInt(start.last);
    return { topic, partition, from: wanted > first ? wanted : first, end };
  });
}

function recordOf(topic: string, partition: number, message: KafkaMessage): ReadRecord {
  const { offset, key, value, headers = {} } = message;
  return { topic, partition, offset, timestampMs: Number(message.timestamp), key, value, headers };
}
