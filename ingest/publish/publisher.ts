import type { Clock } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';
import { partitionOf } from '../../lib/kafka/partitioner.ts';
import type { OutgoingRecord } from '../../lib/kafka/ports.ts';
import { RecordEncoder } from '../../schemas/codec.ts';
import type { RecordName, RecordOf } from '../../schemas/generated/events.ts';
import { maxRecordBytes, type TopicId, topics } from '../../schemas/topics.ts';
import type { TranslatedEvent } from '../tencent/request.ts';
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

/** What is known of one topic once broker and registry have answered. */
export interface Destination {
  readonly topic: string;
  readonly partitions: number;
  readonly schemaId: number;
}

/** Largest encoded event; the rest of what a topic takes is for key, headers and what Kafka adds. */
const maxEventBytes = maxRecordBytes - 128 * 1024;

interface Route {
  readonly topic: string;
  readonly partitions: number;
  readonly encoder: RecordEncoder<RecordName>;
}

export interface PublisherOptions {
  readonly batcher: Batcher;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly cloudEvents: boolean;
}

/** Encodes events and hands them to the batcher; an event is published when Kafka has acknowledged it. */
export class Publisher {
  readonly #options: PublisherOptions;
  #routes: ReadonlyMap<TopicId, Route> | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Opens the way to Kafka; before this every `publish` fails with `NotReadyError`. */
  open(destinations: ReadonlyMap<TopicId, Destination>): void {
    this.#routes = new Map(
      Array.from(destinations, ([id, { topic, partitions, schemaId }]) => [
        id,
        { topic, partitions, encoder: new RecordEncoder<RecordName>(topics[id].record, schemaId) },
      ]),
    );
  }

  get isOpen(): boolean {
    return this.#routes !== undefined;
  }

  /**
   * Resolves when all of `events` are durable.
   *
   * @param traceparent W3C trace context that came with the request, passed on as a record header.
   * @throws {EventTooLargeError} before any of them is sent.
   * @throws {DeadlineError | NotReadyError | QueueFullError | RecordRefusedError}
   */
  async publish(events: readonly TranslatedEvent[], traceparent: string | undefined): Promise<void> {
    if (this.#routes === undefined) throw new NotReadyError('Kafka and the schema registry have not answered yet');
    const { batcher, clock, deadlineMs } = this.#options;
    const routes = this.#routes;
    const records = events.map((event) => this.#recordOf(routes, event, traceparent));
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

  #recordOf(
    routes: ReadonlyMap<TopicId, Route>,
    event: TranslatedEvent,
    traceparent: string | undefined,
  ): OutgoingRecord {
    const route = routes.get(event.topic);
    if (route === undefined) throw new Error(`No destination for topic ${event.topic}`);
    const key = Buffer.from(event.key);
    const value = route.encoder.encode(event.value);
    if (value.length > maxEventBytes) {
      throw new EventTooLargeError(`The event has ${value.length} bytes, its topic takes ${maxEventBytes}`);
    }
    const headers = {
      ...(traceparent !== undefined && { traceparent }),
      ...(this.#options.cloudEvents && cloudEventHeaders(event.value)),
    };
    return {
      topic: route.topic,
      partition: partitionOf(key, route.partitions),
      key,
      value,
      timestampMs: event.value.receivedAt,
      ...(Object.keys(headers).length > 0 && { headers }),
    };
  }
}

/** CloudEvents 1.0 attributes in binary mode (Kafka protocol binding). */
function cloudEventHeaders(value: RecordOf[RecordName]): Record<string, string> {
  return {
    ce_specversion: '1.0',
    ce_id: value.eventId,
    ce_type: value.command === null ? 'com.tencent.im' : `com.tencent.im.${value.command}`,
    ce_source: `/tencent-im/${value.sdkAppId}`,
    'content-type': 'application/avro',
  };
}
