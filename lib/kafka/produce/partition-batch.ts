import type { OutgoingRecord } from '../ports.ts';
import type { TopicRecords } from './produce-request.ts';
import type { BatchIdentity } from './record-batch.ts';

/** The records of one partition that go together, and are known to the brokers by one identity. */
export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly OutgoingRecord[];
  readonly identity: BatchIdentity;
}

/** The records of one partition, in the order in which they came. */
export interface PartitionGroup {
  /** Topic and partition. */
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  readonly records: OutgoingRecord[];
}

/** Records of a partition mostly stand together already, and one that goes on with the group before costs nothing. */
export function groupByPartition(records: readonly OutgoingRecord[]): readonly PartitionGroup[] {
  const groups = new Map<string, PartitionGroup>();
  let last: PartitionGroup | undefined;
  for (const record of records) {
    const { topic, partition } = record;
    if (last?.partition !== partition || last.topic !== topic) {
      const name = `${topic}/${partition}`;
      last = groups.get(name);
      if (last === undefined) {
        last = { name, topic, partition, records: [] };
        groups.set(name, last);
      }
    }
    last.records.push(record);
  }
  return [...groups.values()];
}

/** Batches by topic, as a request lists them. */
export function byTopic(batches: readonly PartitionBatch[]): readonly TopicRecords[] {
  const topics = new Map<string, PartitionBatch[]>();
  for (const batch of batches) {
    const present = topics.get(batch.topic);
    if (present === undefined) topics.set(batch.topic, [batch]);
    else present.push(batch);
  }
  return Array.from(topics, ([topic, partitions]) => ({ topic, partitions }));
}
