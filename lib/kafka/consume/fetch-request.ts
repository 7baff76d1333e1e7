import { type Connection, fetchV12, protocolErrorsCodesById, type Reader } from '@platformatic/kafka';
import type { TopicPartition } from '../ports.ts';
import type { AbortedTransaction } from './record-batch-reader.ts';

const fetchApiKey = 1;
const fetchVersion = 12;
const readCommitted = 1;
const noSession = { id: 0, epoch: -1 };

/** From where a partition is to be read. */
export interface FetchFrom extends TopicPartition {
  readonly offset: number;
}

export interface FetchLimits {
  /** How long the broker waits while there is nothing. */
  readonly maxWaitMs: number;
  /** Most bytes of all partitions together; a first batch that is larger comes all the same. */
  readonly maxBytes: number;
  readonly partitionBytes: number;
}

/** What a broker has answered for a partition. */
export interface FetchedBytes extends TopicPartition {
  /** Name of Kafka's error; `undefined` when there is none. */
  readonly errorName: string | undefined;
  /** Offset behind the last record. */
  readonly highWatermark: number;
  /** Offset behind the last record of which it is known that it counts. */
  readonly stableEnd: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last perhaps cut off. */
  readonly bytes: Buffer;
}

/** Fetches what is committed of partitions that the other end of `connection` leads (Fetch, version 12). */
export function fetchFrom(
  connection: Connection,
  partitions: readonly FetchFrom[],
  { maxWaitMs, maxBytes, partitionBytes }: FetchLimits,
): Promise<readonly FetchedBytes[]> {
  const topics = Array.from(
    Map.groupBy(partitions, ({ topic }) => topic),
    ([topicId, theirs]) => ({
      topicId,
      partitions: theirs.map(({ partition, offset }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: partitionBytes,
      })),
    }),
  );
  return new Promise((resolve, reject) => {
    connection.send(
      fetchApiKey,
      fetchVersion,
      () =>
        fetchV12.createRequest(maxWaitMs, 1, maxBytes, readCommitted, noSession.id, noSession.epoch, topics, [], ''),
      (_correlationId, _apiKey, _version, reader) => readFetchResponse(reader),
      true,
      true,
      (error, fetched) => (error === null && fetched !== undefined ? resolve(fetched) : reject(error)),
    );
  });
}

function readFetchResponse(reader: Reader): readonly FetchedBytes[] {
  const fetched: FetchedBytes[] = [];
  reader.readInt32();
  const answerError = nameOf(reader.readInt16());
  reader.readInt32();
  reader.readArray((topicReader) => {
    const topic = topicReader.readString();
    topicReader.readArray((each) => {
      const partition = each.readInt32();
      const errorName = nameOf(each.readInt16()) ?? answerError;
      const highWatermark = Number(each.readInt64());
      const stableEnd = Number(each.readInt64());
      each.readInt64();
      const aborted = each.readNullableArray((transaction) => {
        return { producerId: transaction.readInt64(), firstOffset: transaction.readInt64() };
      });
      each.readInt32();
      const bytes = each.readNullableBytes() ?? Buffer.alloc(0);
      fetched.push({ topic, partition, errorName, highWatermark, stableEnd, aborted: aborted ?? [], bytes });
    });
  });
  return fetched;
}

function nameOf(errorCode: number): string | undefined {
  return errorCode === 0 ? undefined : (protocolErrorsCodesById[errorCode] ?? 'UNKNOWN');
}
