import type { Consumer, EachBatchHandler, Kafka, KafkaMessage } from 'kafkajs';

/** A batch that the test gives to the consumer, and what the consumer did with it. */
export interface Delivered {
  /** Resolves when the consumer has ended with the batch. */
  readonly done: Promise<void>;
  /** Offsets up to which the consumer said that it is done. */
  readonly resolved: readonly string[];
}

/** Stands in for kafkajs and a broker: the test says which partitions come and which batches, and sees what is committed. */
export class StandInGroup {
  /** What happened, in order: `commit 0@5`, `seek 0@5`, `join`, `leave`. */
  readonly log: string[] = [];
  /** Holds back the answer to joining. */
  joining: Promise<void> = Promise.resolve();
  readonly #topic: string;
  readonly #listeners = new Map<string, (event: { readonly payload: unknown }) => void>();
  #eachBatch: EachBatchHandler | undefined;

  constructor(topic: string) {
    this.#topic = topic;
  }

  get kafka(): Kafka {
    return { consumer: () => this.#consumer() } as unknown as Kafka;
  }

  /** The group gives these partitions to the consumer. */
  assign(...partitions: readonly number[]): void {
    this.#listeners.get('consumer.group_join')?.({ payload: { memberAssignment: { [this.#topic]: partitions } } });
  }

  crash(error: Error, restart: boolean): void {
    this.#listeners.get('consumer.crash')?.({ payload: { error, restart } });
  }

  /** Gives a batch of values to the consumer, the first of them at `offset`. */
  deliver(partition: number, offset: number, values: readonly (Buffer | null)[]): Delivered {
    if (this.#eachBatch === undefined) throw new Error('The consumer does not run');
    const messages = values.map((value, index) => ({
      key: Buffer.from('key'),
      value,
      timestamp: '1700000000000',
      attributes: 0,
      offset: String(offset + index),
      headers: {},
    })) satisfies KafkaMessage[];
    const resolved: string[] = [];
    const highWatermark = String(offset + values.length);
    const payload = {
      batch: { topic: this.#topic, partition, highWatermark, messages },
      resolveOffset: (each: string) => resolved.push(each),
      heartbeat: () => Promise.resolve(),
      isRunning: () => true,
      isStale: () => false,
    };
    return { done: this.#eachBatch(payload as unknown as Parameters<EachBatchHandler>[0]), resolved };
  }

  #consumer(): Consumer {
    const consumer: Partial<Consumer> = {
      on: ((name: string, listener: (event: { readonly payload: unknown }) => void) => {
        this.#listeners.set(name, listener);
        return () => undefined;
      }) as unknown as Consumer['on'],
      connect: () => Promise.resolve(),
      subscribe: () => Promise.resolve(),
      run: async ({ eachBatch } = {}) => {
        this.log.push('join');
        await this.joining;
        this.#eachBatch = eachBatch;
      },
      commitOffsets: async (offsets) => {
        this.log.push(...offsets.map(({ partition, offset }) => `commit ${partition}@${offset}`));
      },
      seek: ({ partition, offset }) => {
        this.log.push(`seek ${partition}@${offset}`);
      },
      disconnect: async () => {
        this.log.push('leave');
      },
    };
    return consumer as Consumer;
  }
}
