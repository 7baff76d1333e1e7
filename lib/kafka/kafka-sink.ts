import kafkajs, {
  type Kafka,
  type Message,
  Partitioners,
  type Producer,
  type KafkaJSProtocolError as ProtocolError,
} from 'kafkajs';
import type { ConnectedSink, OutgoingRecord } from './ports.ts';
import { isRefusal, RecordRefusedError } from './record-refused.ts';

// Node finds only some of kafkajs's exports by name.
const { KafkaJSError, KafkaJSProtocolError } = kafkajs;

const acksOfAllInSyncReplicas = -1;

/** A kafkajs producer. */
export class KafkaSink implements ConnectedSink {
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
  if (error instanceof KafkaJSProtocolError && isRefusal(error.type)) return error;
  return error instanceof KafkaJSError && error.cause !== undefined ? refusalIn(error.cause) : undefined;
}
