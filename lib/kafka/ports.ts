import { AppError } from '../errors.ts';

/** A record on its way to Kafka, its partition already chosen. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  /** `null` says that nothing stands under the key any more. */
  readonly value: Buffer | null;
  /** Epoch milliseconds. */
  readonly timestampMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Some partitions have not taken their records, which may pass with time; all others have theirs. */
export class PartitionsFailedError extends AppError {
  override readonly name = 'PartitionsFailedError';
  readonly code = 'KAFKA_PARTITIONS_FAILED';
  readonly retryable = true;
  readonly failed: readonly TopicPartition[];

  constructor(message: string, failed: readonly TopicPartition[]) {
    super(message);
    this.failed = failed;
  }
}

/** Where records become durable. */
export interface RecordSink {
  /**
   * Resolves when all in-sync replicas of every partition have `records`, which keep their order within a partition. On an
   * error some may have been written.
   *
   * @throws {PartitionsFailedError} when some partitions have them and others do not.
   * @throws {RecordRefusedError} when the broker will never take one of them; any other error may pass with time.
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
}

/** A sink with connections of its own: connect it before the first `send`. */
export interface ConnectedSink extends RecordSink {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}
