import type { Clock } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';
import type { OutgoingRecord } from '../../lib/kafka/ports.ts';
import type { Destination } from '../../schemas/destinations.ts';
import { RecordWriter, type TopicRecord } from '../../schemas/record-writer.ts';
import { maxRecordBytes } from '../../schemas/topics.ts';
import type { IngestTopicId, TranslatedEvent } from '../tencent/request.ts';
import type { Batcher } from './batcher.ts';

/** An event is not durable within the deadline; it still waits, and may become durable later. */
export class DeadlineError extends AppError {
  override readonly name = 'DeadlineError';
  readonly code = 'INGEST_DEADLINE';
  readonly retryable = true;
}

/** An event is larger than its topic takes, so it can never be written. */
export class EventTooLargeError extends AppError {
  override readonly name = 'EventTooLargeError';
  readonly code = 'INGEST_EVENT_TOO_LARGE';
  readonly retryable = false;
}

/** Kafka and the registry have not answered since the start, so nothing can be encoded yet. */
export class NotReadyError extends AppError {
  override readonly name = 'NotReadyError';
  readonly code = 'INGEST_NOT_READY';
  readonly retryable = true;
}

/** Largest encoded event; the rest of what a topic takes is for key, headers and what Kafka adds. */
const maxEventBytes = maxRecordBytes - 128 * 1024;

export interface PublisherOptions {
  readonly batcher: Batcher;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly cloudEvents: boolean;
}

/** Encodes events and hands them to the batcher; an event is published when Kafka has acknowledged it. */
export class Publisher {
  readonly #options: PublisherOptions;
  #writer: RecordWriter | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Opens the way to Kafka; before this every `publish` fails with `NotReadyError`. */
  open(destinations: ReadonlyMap<IngestTopicId, Destination>): void {
    this.#writer = new RecordWriter(destinations);
  }

  get isOpen(): boolean {
    return this.#writer !== undefined;
  }

  /**
   * Resolves when all of `events` are durable.
   *
   * @param traceparent W3C trace context that came with the request, passed on as a record header.
   * @throws {EventTooLargeError} before any of them is sent.
   * @throws {DeadlineError | NotReadyError | QueueFullError | RecordRefusedError}
   */
  async publish(events: readonly TranslatedEvent[], traceparent: string | undefined): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) throw new NotReadyError('Kafka and the schema registry have not answered yet');
    const { batcher, clock, deadlineMs } = this.#options;
    const records = events.map((event) => this.#recordOf(writer, event, traceparent));
    const durable = Promise.all(records.map((record) => batcher.add(record)));
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(deadlineMs, () =>
      late.reject(new DeadlineError(`Kafka has not acknowledged the event within ${deadlineMs} ms`)),
    );
    try {
      await Promise.race([durable, late.promise]);
    } finally {
      cancel();
    }
  }

  #recordOf(writer: RecordWriter, event: TranslatedEvent, traceparent: string | undefined): OutgoingRecord {
    const headers = {
      ...(traceparent !== undefined && { traceparent }),
      ...(this.#options.cloudEvents && cloudEventHeaders(event.value)),
    };
    const { topic, key, value } = event;
    const record = writer.recordOf({ topic, key, value, timestampMs: value.receivedAt, headers } as TopicRecord);
    if (record.value.length > maxEventBytes) {
      throw new EventTooLargeError(`The event has ${record.value.length} bytes, its topic takes ${maxEventBytes}`);
    }
    return record;
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
