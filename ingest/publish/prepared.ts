import { AppError } from '../../lib/errors.ts';
import { partitionOf } from '../../lib/kafka/partitioner.ts';
import type { OutgoingRecord } from '../../lib/kafka/ports.ts';
import { RecordEncoder, wireHeaderBytes, withSchemaId } from '../../schemas/codec.ts';
import type { Destination } from '../../schemas/destinations.ts';
import type { RecordName } from '../../schemas/generated/events.ts';
import { avroType, recordSchemas } from '../../schemas/records.ts';
import { maxRecordBytes, topics } from '../../schemas/topics.ts';
import type { SpooledRecord } from '../spool/frame.ts';
import { type IngestTopicId, ingestTopicIds, type TranslatedEvent } from '../tencent/request.ts';

/** An encoded event that has neither a partition nor a schema id yet: those are known once Kafka and the registry have answered. */
export interface PreparedRecord {
  readonly topic: IngestTopicId;
  readonly key: Buffer;
  /** The value in wire format, its schema id 0. */
  readonly value: Buffer;
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

/** An event is larger than its topic takes, so it can never be written. */
export class EventTooLargeError extends AppError {
  override readonly name = 'EventTooLargeError';
  readonly code = 'INGEST_EVENT_TOO_LARGE';
  readonly retryable = false;
}

/** Largest encoded event with its key; the rest of what a topic takes is for headers and what Kafka adds. */
const maxEventBytes = maxRecordBytes - 128 * 1024;

const unknownSchemaId = 0;

/** Encodes events with today's schemas. */
export class EventPreparer {
  readonly #cloudEvents: boolean;
  readonly #encoders: ReadonlyMap<IngestTopicId, RecordEncoder<RecordName>>;

  /** @param cloudEvents whether records get the headers of CloudEvents. */
  constructor(cloudEvents: boolean) {
    this.#cloudEvents = cloudEvents;
    this.#encoders = new Map(
      ingestTopicIds.map((id) => [id, new RecordEncoder<RecordName>(topics[id].record, unknownSchemaId)]),
    );
  }

  /**
   * @param traceparent W3C trace context that came with the request, passed on as a record header.
   * @throws {EventTooLargeError}
   */
  prepare(event: TranslatedEvent, traceparent: string | undefined): PreparedRecord {
    const { topic, key } = event;
    const encoder = this.#encoders.get(topic);
    if (encoder === undefined) throw new Error(`No encoder for topic ${topic}`);
    const value = encoder.encode(event.value);
    const keyBytes = Buffer.from(key);
    const bytes = value.length + keyBytes.length;
    if (bytes > maxEventBytes) {
      throw new EventTooLargeError(`The event has ${bytes} bytes with its key, its topic takes ${maxEventBytes}`);
    }
    const headers: Record<string, string> | undefined = this.#cloudEvents ? cloudEventHeaders(event.value) : undefined;
    if (traceparent !== undefined)
      return { topic, key: keyBytes, value, timestampMs: event.value.receivedAt, headers: { traceparent, ...headers } };
    return { topic, key: keyBytes, value, timestampMs: event.value.receivedAt, headers };
  }
}

/** CloudEvents 1.0 attributes in binary mode (Kafka protocol binding). */
function cloudEventHeaders(value: TranslatedEvent['value']): Record<string, string> {
  return {
    ce_specversion: '1.0',
    ce_id: value.eventId,
    ce_type: value.command === null ? 'com.tencent.im' : `com.tencent.im.${value.command}`,
    ce_source: `/tencent-im/${value.sdkAppId}`,
    'content-type': 'application/avro',
  };
}

/** What is known of the topics once Kafka and the registry have answered. */
export type Destinations = ReadonlyMap<IngestTopicId, Destination>;

/**
 * The record for Kafka, on the partition that its key belongs to. Writes the schema id into the value that it was given: that of
 * today's schema, unless the record was written with another.
 *
 * @throws {Error} for a topic that there is no destination for.
 */
export function outgoingOf(record: PreparedRecord, destinations: Destinations, writtenWith?: number): OutgoingRecord {
  const { key, timestampMs, headers } = record;
  const destination = destinations.get(record.topic);
  if (destination === undefined) throw new Error(`No destination for topic ${record.topic}`);
  const { topic, partitions, schemaId } = destination;
  const partition = partitionOf(key, partitions);
  const value = withSchemaId(record.value, writtenWith ?? schemaId);
  return headers === undefined
    ? { topic, partition, key, value, timestampMs }
    : { topic, partition, key, value, timestampMs, headers };
}

/** Fingerprints of today's schemas, by topic. */
export const fingerprints: ReadonlyMap<IngestTopicId, Buffer> = new Map(
  ingestTopicIds.map((id) => [id, avroType(recordSchemas[topics[id].record]).fingerprint()]),
);

/** The record as the spool keeps it. */
export function spooledOf({ topic, key, value, timestampMs, headers }: PreparedRecord): SpooledRecord {
  const fingerprint = fingerprints.get(topic);
  if (fingerprint === undefined) throw new Error(`No schema for topic ${topic}`);
  return { topic, fingerprint, key, body: value.subarray(wireHeaderBytes), timestampMs, headers: headers ?? {} };
}
