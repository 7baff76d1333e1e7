import { partitionOf } from '../lib/kafka/partitioner.ts';
import type { OutgoingRecord, TopicPartition } from '../lib/kafka/ports.ts';
import { RecordEncoder } from './codec.ts';
import type { Destination } from './destinations.ts';
import type { RecordName, RecordOf } from './generated/events.ts';
import { type TopicId, topics } from './topics.ts';

/** A value for a topic, before it is encoded. */
export type TopicRecord<I extends TopicId = TopicId> = {
  [T in I]: {
    readonly topic: T;
    readonly key: string;
    readonly value: RecordOf[(typeof topics)[T]['record']];
    /** Time of the record, in epoch milliseconds. */
    readonly timestampMs: number;
    readonly headers?: Readonly<Record<string, string>>;
  };
}[I];

interface Route {
  readonly topic: string;
  readonly partitions: number;
  readonly encoder: RecordEncoder<RecordName>;
}

/** Turns values into records for Kafka: encoded with the registered schema, on the partition that their key belongs to. */
export class RecordWriter {
  readonly #routes: ReadonlyMap<TopicId, Route>;

  constructor(destinations: ReadonlyMap<TopicId, Destination>) {
    this.#routes = new Map(
      Array.from(destinations, ([id, { topic, partitions, schemaId }]) => [
        id,
        { topic, partitions, encoder: new RecordEncoder<RecordName>(topics[id].record, schemaId) },
      ]),
    );
  }

  /** Every partition that its records may belong to. */
  get places(): readonly TopicPartition[] {
    return [...this.#routes.values()].flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    );
  }

  /** @throws {Error} for a topic that it has no destination for, or a value that does not fit the schema. */
  recordOf({ topic: id, key: text, value, timestampMs, headers }: TopicRecord): OutgoingRecord {
    const route = this.#routes.get(id);
    if (route === undefined) throw new Error(`No destination for topic ${id}`);
    const key = Buffer.from(text);
    return {
      topic: route.topic,
      partition: partitionOf(key, route.partitions),
      key,
      value: route.encoder.encode(value),
      timestampMs,
      ...(headers !== undefined && Object.keys(headers).length > 0 && { headers }),
    };
  }
}
