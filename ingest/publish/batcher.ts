import { type Clock, sleep } from '../../lib/clock.ts';
import { AppError, asError, messageOf } from '../../lib/errors.ts';
import { RecordRefusedError } from '../../lib/kafka/kafka-sink.ts';
import type { OutgoingRecord, RecordSink } from '../../lib/kafka/ports.ts';
import type { Logger } from '../../lib/logger.ts';

/** The queue in front of Kafka is full: nothing more is taken until it drains. */
export class QueueFullError extends AppError {
  override readonly name = 'QueueFullError';
  readonly code = 'INGEST_QUEUE_FULL';
  readonly retryable = true;
}

export interface BatchLimits {
  /**
   * Most encoded bytes for one partition in one batch; a broker refuses the whole batch above its limit. A larger record goes
   * alone.
   */
  readonly partitionBytes: number;
  /** Most encoded bytes of one batch. */
  readonly batchBytes: number;
  /** Most encoded bytes that wait. */
  readonly queueBytes: number;
}

interface Waiting {
  readonly record: OutgoingRecord;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What Kafka adds to a key and a value, at most, in bytes. */
const recordOverheadBytes = 64;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/**
 * Sends records in batches, one at a time: at once when nothing is in flight, and what comes while a batch is in flight as
 * the next one. No timer delays a record.
 *
 * Records of a partition keep the order in which they were added. A batch that fails is sent again, after a pause that grows
 * to 5 s, until it succeeds, so a record may be written more than once; only one that the broker refuses for good is given up.
 */
export class Batcher {
  readonly #sink: RecordSink;
  readonly #limits: BatchLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #sending: Promise<void> | undefined;
  #failingSinceMs: number | undefined;

  constructor(sink: RecordSink, limits: BatchLimits, clock: Clock, logger: Logger) {
    this.#sink = sink;
    this.#limits = limits;
    this.#clock = clock;
    this.#logger = logger;
  }

  get queuedRecords(): number {
    return this.#queue.length;
  }

  /** Encoded bytes that wait or are in flight. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Since when no batch has succeeded although some were tried, in epoch milliseconds; `undefined` while all is well. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs;
  }

  /**
   * Resolves when `record` is durable.
   *
   * @throws {QueueFullError} at once, when the queue is full.
   * @throws {RecordRefusedError} when Kafka will never take it.
   */
  add(record: OutgoingRecord): Promise<void> {
    const bytes = record.key.length + record.value.length + recordOverheadBytes;
    if (this.#queuedBytes + bytes > this.#limits.queueBytes) {
      return Promise.reject(
        new QueueFullError(`The queue in front of Kafka is full (${this.#limits.queueBytes} bytes)`),
      );
    }
    this.#queuedBytes += bytes;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue.push({ record, bytes, resolve, reject });
    this.#sending ??= this.#sendAll();
    return promise;
  }

  /** Resolves when nothing waits or is in flight, which with Kafka away is never. */
  async drained(): Promise<void> {
    while (this.#sending !== undefined) await this.#sending;
  }

  async #sendAll(): Promise<void> {
    // Requests that were read in the same turn of the event loop go together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#deliver(this.#nextBatch());
    this.#sending = undefined;
  }

  #nextBatch(): Waiting[] {
    const { partitionBytes, batchBytes } = this.#limits;
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    const bytesByPartition = new Map<string, number>();
    let total = 0;
    for (const waiting of this.#queue) {
      const partition = `${waiting.record.topic}/${waiting.record.partition}`;
      const before = bytesByPartition.get(partition) ?? 0;
      const fits = before === 0 || before + waiting.bytes <= partitionBytes;
      if (fits && (total === 0 || total + waiting.bytes <= batchBytes)) {
        batch.push(waiting);
        total += waiting.bytes;
        bytesByPartition.set(partition, before + waiting.bytes);
      } else {
        // Later records of this partition must not overtake it.
        bytesByPartition.set(partition, Number.POSITIVE_INFINITY);
        left.push(waiting);
      }
    }
    this.#queue = left;
    return batch;
  }

  async #deliver(batch: readonly Waiting[]): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        await this.#sink.send(batch.map((waiting) => waiting.record));
        this.#failingSinceMs = undefined;
        this.#settle(batch, (waiting) => waiting.resolve());
        return;
      } catch (error) {
        if (error instanceof RecordRefusedError) {
          await this.#deliverRefused(batch, error);
          return;
        }
        this.#failingSinceMs ??= this.#clock.nowMs();
        this.#logger.warn(
          { records: batch.length, pauseMs, reason: messageOf(error) },
          'Kafka does not take a batch, trying again',
        );
        await sleep(this.#clock, pauseMs);
      }
    }
  }

  /** The broker refuses a batch as a whole: each record goes alone, and those that are at fault are given up. */
  async #deliverRefused(batch: readonly Waiting[], error: RecordRefusedError): Promise<void> {
    if (batch.length > 1) {
      for (const waiting of batch) await this.#deliver([waiting]);
      return;
    }
    this.#settle(batch, (waiting) => {
      this.#logger.error(
        { topic: waiting.record.topic, bytes: waiting.bytes, reason: messageOf(error) },
        'Kafka refuses a record',
      );
      waiting.reject(asError(error));
    });
  }

  #settle(batch: readonly Waiting[], settle: (waiting: Waiting) => void): void {
    for (const waiting of batch) {
      this.#queuedBytes -= waiting.bytes;
      settle(waiting);
    }
  }
}
