import kafkajs, {
  type Kafka,
  type Message,
  Partitioners,
  type Producer,
  type KafkaJSProtocolError as ProtocolError,
} from 'kafkajs';
import { AppError } from '../errors.ts';
import type { OutgoingRecord, RecordSink } from './ports.ts';

// Node finds only some of kafkajs's exports by name.
const { KafkaJSError, KafkaJSProtocolError } = kafkajs;

/** The broker will not take a record however often it is sent, for example because it is too large. */
export class RecordRefusedError extends AppError {
  override readonly name = 'RecordRefusedError';
  readonly code = 'KAFKA_RECORD_REFUSED';
  readonly retryable = false;
}

/** Answers of a broker that speak of the record and not of the moment. */
const refusals = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP']);

const acksOfAllInSyncReplicas = -1;

/** A kafkajs producer behind `RecordSink`; connect it before the first `send`. */
export class KafkaSink implements RecordSink {
  readonly #producer: Producer;

  constructor(kafka: Kafka) {
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      // Whoever sends tries again and knows what may wait; one retry here renews metadata that has become stale.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2, retries: 1 },
    });
  }

  connect(): Promise<void> {
    return this.#producer.connect();
  }

  disconnect(): Promise<void> {
    return this.#producer.disconnect();
  }

  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const messagesByTopic = new Map<string, Message[]>();
    for (const record of records) {
      const { topic, timestampMs, ...message } = record;
      const messages = messagesByTopic.get(topic);
      const entry: Message = { ...message, timestamp: String(timestampMs) };
      if (messages === undefined) messagesByTopic.set(topic, [entry]);
      else messages.push(entry);
    }
    const topicMessages = Array.from(messagesByTopic, ([topic, messages]) => ({ topic, messages }));
    try {
      await this.#producer.sendBatch({ topicMessages, acks: acksOfAllInSyncReplicas });
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal === undefined) throw error;
      throw new RecordRefusedError(`Kafka refuses the record (${refusal.type})`, { cause: error });
    }
  }
}

/** The refusal that `error` stands for or was caused by. */
function refusalIn(error: unknown): ProtocolError | undefined {
  if (error instanceof KafkaJSProtocolError && refusals.has(error.type)) return error;
  return error instanceof KafkaJSError && error.cause !== undefined ? refusalIn(error.cause) : undefined;
}
