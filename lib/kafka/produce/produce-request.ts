import type { OutgoingRecord } from '../ports.ts';
import { type BatchIdentity, recordBatchBytes, writeRecordBatch } from './record-batch.ts';
import { unsignedVarintBytes, writeUnsignedVarint } from './varint.ts';

/** The version that is written here: the first with flexible fields, taken by Kafka 2.4 and everything since. */
export const produceVersion = 9;

/** Records of one partition, in order, at least one. */
export interface PartitionRecords {
  readonly partition: number;
  readonly records: readonly OutgoingRecord[];
  readonly identity: BatchIdentity;
}

export interface TopicRecords {
  readonly topic: string;
  readonly partitions: readonly PartitionRecords[];
}

const acksOfAllInSyncReplicas = -1;
const noTaggedFields = 0;

/**
 * The body of a Produce request (version 9) that asks for the acknowledgement of all in-sync replicas, in one buffer.
 *
 * @param timeoutMs how long the broker may wait for them.
 * @param transactionalId of the transaction that the batches belong to.
 */
export function encodeProduceRequest(
  topics: readonly TopicRecords[],
  timeoutMs: number,
  transactionalId: string | null = null,
): Buffer {
  const sizes = topics.map(({ partitions }) => partitions.map(({ records }) => recordBatchBytes(records)));
  const id = transactionalId === null ? undefined : Buffer.from(transactionalId);
  const idBytes = id === undefined ? 1 : unsignedVarintBytes(id.length + 1) + id.length;
  const target = Buffer.allocUnsafe(idBytes + requestBytes(topics, sizes));
  let end = writeUnsignedVarint(target, id === undefined ? 0 : id.length + 1, 0);
  if (id !== undefined) end += id.copy(target, end);
  end = target.writeInt16BE(acksOfAllInSyncReplicas, end);
  end = target.writeInt32BE(timeoutMs, end);
  end = writeUnsignedVarint(target, topics.length + 1, end);
  topics.forEach(({ topic, partitions }, topicIndex) => {
    end = writeUnsignedVarint(target, Buffer.byteLength(topic) + 1, end);
    end += target.write(topic, end);
    end = writeUnsignedVarint(target, partitions.length + 1, end);
    partitions.forEach(({ partition, records, identity }, index) => {
      end = target.writeInt32BE(partition, end);
      end = writeUnsignedVarint(target, (sizes[topicIndex]?.[index] ?? 0) + 1, end);
      end = writeRecordBatch(target, end, records, identity);
      target[end++] = noTaggedFields;
    });
    target[end++] = noTaggedFields;
  });
  target[end++] = noTaggedFields;
  return target;
}

/** Bytes of a request behind its transactional id. */
function requestBytes(topics: readonly TopicRecords[], sizes: readonly (readonly number[])[]): number {
  let bytes = 6 + unsignedVarintBytes(topics.length + 1) + 1;
  topics.forEach(({ topic, partitions }, topicIndex) => {
    const name = Buffer.byteLength(topic);
    bytes += unsignedVarintBytes(name + 1) + name + unsignedVarintBytes(partitions.length + 1) + 1;
    for (const size of sizes[topicIndex] ?? []) bytes += 4 + unsignedVarintBytes(size + 1) + size + 1;
  });
  return bytes;
}
