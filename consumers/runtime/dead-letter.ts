import { hash } from 'node:crypto';
import type { KafkaMessage } from 'kafkajs';
import type { ConsumerReason } from '../../schemas/dead-letter-reasons.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';

/** A record that cannot be handled, and where it stands. */
export interface FailedRecord {
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly message: KafkaMessage;
  readonly reason: ConsumerReason;
  readonly detail: string;
  readonly failedAtMs: number;
}

/** The dead letter of a record: the same id each time that the record is handled, the record's own key. */
export function deadLetterOf(failed: FailedRecord): TopicRecord<'dead-letter'> {
  const { service, topic, partition, message, reason, detail, failedAtMs } = failed;
  const place = `${service}\n${topic}\n${partition}\n${message.offset}`;
  const value = {
    eventId: hash('sha256', place).slice(0, 32),
    service,
    reason,
    fieldPath: null,
    detail,
    body: message.value,
    query: null,
    command: null,
    sdkAppId: null,
    sourceTopic: topic,
    sourcePartition: partition,
    sourceOffset: Number(message.offset),
    key: message.key,
    headers: headersOf(message),
    attempts: 1,
    firstFailedAt: failedAtMs,
    receivedAt: Number(message.timestamp),
  };
  return { topic: 'dead-letter', key: message.key?.toString() ?? '', value, timestampMs: failedAtMs };
}

function headersOf({ headers = {} }: KafkaMessage): Record<string, Buffer> {
  const last = Object.entries(headers).map(([name, value]): [string, Buffer] => {
    return [name, Buffer.from((Array.isArray(value) ? value.at(-1) : value) ?? '')];
  });
  return Object.fromEntries(last);
}
