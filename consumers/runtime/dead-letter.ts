import { hash } from 'node:crypto';
import type { ConsumedRecord } from '../../lib/kafka/consume/record-batch-reader.ts';
import type { ConsumerReason } from '../../schemas/dead-letter-reasons.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';

/** A record that cannot be handled, and where it stands. */
export interface FailedRecord {
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly record: ConsumedRecord;
  readonly reason: ConsumerReason;
  readonly detail: string;
  readonly failedAtMs: number;
}

/** The dead letter of a record: the same id each time that the record is handled, the record's own key. */
export function deadLetterOf(failed: FailedRecord): TopicRecord<'dead-letter'> {
  const { service, topic, partition, record, reason, detail, failedAtMs } = failed;
  const place = `${service}\n${topic}\n${partition}\n${record.offset}`;
  const value = {
    eventId: hash('sha256', place).slice(0, 32),
    service,
    reason,
    fieldPath: null,
    detail,
    body: record.value,
    query: null,
    command: null,
    sdkAppId: null,
    sourceTopic: topic,
    sourcePartition: partition,
    sourceOffset: record.offset,
    key: record.key,
    headers: { ...record.headers },
    attempts: 1,
    firstFailedAt: failedAtMs,
    receivedAt: record.timestampMs,
  };
  return { topic: 'dead-letter', key: record.key?.toString() ?? '', value, timestampMs: failedAtMs };
}
