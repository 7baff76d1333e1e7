import { type Clock, sleep } from '../../clock.ts';
import { KafkaRequestError } from '../admin.ts';
import type { Cluster } from '../cluster.ts';
import type { TopicPartition } from '../ports.ts';
import { fetchFrom } from './fetch-request.ts';
import { type ConsumedRecord, readRecordBatches } from './record-batch-reader.ts';

export interface ReadRangeOptions extends TopicPartition {
  readonly cluster: Cluster;
  /** The first offset that is read. */
  readonly from: number;
  /** Offset behind the last that is read: at most the stable end, else this waits for more. */
  readonly end: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Given what counts, in order, and the offset behind it; more is read when that has resolved. */
  readonly onRecords: (records: readonly ConsumedRecord[], nextOffset: number) => Promise<void> | void;
}

const limits = { maxWaitMs: 500, maxBytes: 1024 * 1024, partitionBytes: 1024 * 1024 };
const firstPauseMs = 100;
const longestPauseMs = 2_000;

/**
 * Reads what is committed of a partition from one offset to another; a broker away is waited for.
 *
 * @throws {KafkaRequestError} when the records from there on are not kept any more; and the reason of `signal`, once that is aborted.
 */
export async function readRange(options: ReadRangeOptions): Promise<void> {
  const { cluster, topic, partition, from, end, clock, signal, onRecords } = options;
  let next = from;
  let pauseMs = firstPauseMs;
  while (next < end) {
    signal.throwIfAborted();
    const fetched = await fetch(cluster, { topic, partition, offset: next });
    if (fetched === undefined) {
      await sleep(clock, pauseMs);
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      await cluster.refresh([topic]).catch(() => undefined);
      continue;
    }
    pauseMs = firstPauseMs;
    const { records, nextOffset } = readRecordBatches(fetched.bytes, next, fetched.aborted, `${topic}/${partition}`);
    if (nextOffset === next) continue;
    const inRange = nextOffset <= end ? records : records.filter(({ offset }) => offset < end);
    next = Math.min(nextOffset, end);
    await onRecords(inRange, next);
  }
}

/** `undefined` when it has to be asked again. */
async function fetch(cluster: Cluster, from: TopicPartition & { readonly offset: number }) {
  const { topic, partition, offset } = from;
  try {
    if (cluster.leaderOf(topic, partition) === undefined) await cluster.refresh([topic]);
    const connection = await cluster.connectionTo(cluster.leaderOf(topic, partition) ?? -1);
    const [fetched] = await fetchFrom(connection, [from], limits);
    if (fetched?.errorName === 'OFFSET_OUT_OF_RANGE') {
      throw new OutOfRangeError(`Kafka: ${topic}/${partition} has no offset ${offset} any more`);
    }
    return fetched?.errorName === undefined ? fetched : undefined;
  } catch (error) {
    if (error instanceof OutOfRangeError || error instanceof TypeError) throw error;
    return undefined;
  }
}

class OutOfRangeError extends KafkaRequestError {}
