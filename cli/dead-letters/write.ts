import kafkajs, { type Kafka, type Producer } from 'kafkajs';
import { Batcher } from '../../ingest/publish/batcher.ts';
import { withinDeadline } from '../../ingest/publish/deadline.ts';
import { type Destinations, EventPreparer, outgoingOf } from '../../ingest/publish/prepared.ts';
import { ingestTopicIds } from '../../ingest/tencent/request.ts';
import { systemClock } from '../../lib/clock.ts';
import { kafkaRequest, withAdmin } from '../../lib/kafka/admin.ts';
import { KafkaSink } from '../../lib/kafka/kafka-sink.ts';
import { partitionOf } from '../../lib/kafka/partitioner.ts';
import { partitionCounts } from '../../lib/kafka/topic-admin.ts';
import { silentLogger } from '../../lib/logger.ts';
import { type Cluster, learnDestinations } from '../../schemas/destinations.ts';
import { topicName } from '../../schemas/topics.ts';
import type { RecordAgain } from './attempt.ts';
import type { Writable } from './redrive.ts';

// Node finds only some of kafkajs's exports by name.
const { Partitioners } = kafkajs;

const deadlineMs = 30_000;
const mebibyte = 1024 * 1024;
const limits = { partitionBytes: 900 * 1024, batchBytes: 8 * mebibyte, queueBytes: 512 * mebibyte };
const acksOfAllInSyncReplicas = -1;

export interface LetterWriterOptions extends Cluster {
  readonly cloudEvents: boolean;
}

/** Writes what dead letters have become: events as ingest writes them, records as they were. */
export class LetterWriter implements AsyncDisposable {
  readonly #prefix: string;
  readonly #preparer: EventPreparer;
  readonly #batcher: Batcher;
  readonly #destinations: Destinations;
  readonly #sink: KafkaSink;
  readonly #producer: Producer;
  readonly #kafka: Kafka;
  readonly #partitions = new Map<string, number>();

  private constructor({ kafka, values, cloudEvents }: LetterWriterOptions, destinations: Destinations) {
    this.#kafka = kafka;
    this.#prefix = values.topicPrefix;
    this.#sink = new KafkaSink(kafka);
    this.#producer = kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    this.#batcher = new Batcher(this.#sink, limits, systemClock, silentLogger);
    this.#preparer = new EventPreparer(cloudEvents);
    this.#destinations = destinations;
  }

  /** @throws {NotProvisionedError | KafkaRequestError | RegistryUnavailableError | SchemaRefusedError} */
  static async connect(options: LetterWriterOptions): Promise<LetterWriter> {
    const destinations = await learnDestinations(options, ingestTopicIds);
    const writer = new LetterWriter(options, destinations);
    await kafkaRequest(async () => {
      await Promise.all([writer.#sink.connect(), writer.#producer.connect()]);
    });
    return writer;
  }

  /**
   * Resolves when all in-sync replicas have it, to the topics, one a record.
   *
   * @throws {EventTooLargeError | RecordRefusedError | DeadlineError | KafkaRequestError}
   */
  async write(attempt: Writable): Promise<readonly string[]> {
    if (attempt.kind === 'record') {
      await this.#writeAgain(attempt.record);
      return [attempt.record.topic];
    }
    const records = attempt.events.map((event) => this.#preparer.prepare(event, undefined));
    const written = Promise.all(records.map((record) => this.#batcher.add(outgoingOf(record, this.#destinations))));
    await withinDeadline(written, systemClock, deadlineMs);
    return attempt.events.map(({ topic }) => topicName(this.#prefix, topic));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#sink.disconnect(), this.#producer.disconnect()]);
  }

  /** To the partition that it was on, where consumers look for its key, unless the topic has fewer by now. */
  async #writeAgain({ topic, partition, key, value, headers, timestampMs }: RecordAgain): Promise<void> {
    const count = this.#partitions.get(topic) ?? (await this.#learnPartitions(topic));
    const target = partition < count ? partition : partitionOf(key ?? Buffer.alloc(0), count);
    const message = { partition: target, key, value, headers: { ...headers }, timestamp: String(timestampMs) };
    await kafkaRequest(() => this.#producer.send({ topic, acks: acksOfAllInSyncReplicas, messages: [message] }));
  }

  async #learnPartitions(topic: string): Promise<number> {
    const counts = await withAdmin(this.#kafka, (admin) => partitionCounts(admin, [topic]));
    const count = counts.get(topic) ?? 0;
    this.#partitions.set(topic, count);
    return count;
  }
}
