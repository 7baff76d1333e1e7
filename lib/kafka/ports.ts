/** A record on its way to Kafka, its partition already chosen. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
  /** Epoch milliseconds. */
  readonly timestampMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where records become durable. */
export interface RecordSink {
  /**
   * Resolves when all in-sync replicas of every partition have `records`, which keep their order within a partition. On an
   * error some may have been written.
   *
   * @throws {RecordRefusedError} when the broker will never take one of them; any other error may pass with time.
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
}

/** A sink with connections of its own: connect it before the first `send`. */
export interface ConnectedSink extends RecordSink {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}
