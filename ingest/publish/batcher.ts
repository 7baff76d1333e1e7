import type { Clock } from '../../lib/clock.ts';
import { AppError, messageOf } from '../../lib/errors.ts';
import { type OutgoingRecord, PartitionsFailedError, type RecordSink } from '../../lib/kafka/ports.ts';
import { RecordRefusedError } from '../../lib/kafka/record-refused.ts';
import type { Logger } from '../../lib/logger.ts';
import { PartitionQueue, type Receipt, type Waiting } from './partition-queue.ts';

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

/** The records of one partition in a batch. */
interface Group {
  readonly queue: PartitionQueue;
  readonly records: readonly Waiting[];
}

/**
 * Sends records in batches, one at a time: at once when nothing is in flight, and what comes while a batch is in flight as
 * the next one. No timer delays a record.
 *
 * Records of a partition keep the order in which they were added. What fails is sent again, after pauses that grow to 5 s,
 * until it succeeds, so a record may be written more than once; only one that the broker refuses for good is given up. A
 * partition that is refused is held back by itself, and the others go on; a broker that does not answer holds up the batch.
 */
export class Batcher {
  readonly #sink: RecordSink;
  readonly #limits: BatchLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Every partition that has been written to, by topic and number. */
  readonly #byTopic = new Map<string, PartitionQueue[]>();
  // Lists, not sets: V8 keeps what a set has held, until the next full collection, when a set outgrows its table again and again.
  /** Partitions that have records waiting, or had when the last batch was made; the one whose turn is next comes first. */
  #queues: PartitionQueue[] = [];
  #inFlight: readonly Group[] = [];
  #waitingRecords = 0;
  #waitingBytes = 0;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #wake: () => void = () => undefined;

  constructor(sink: RecordSink, limits: BatchLimits, clock: Clock, logger: Logger) {
    this.#sink = sink;
    this.#limits = limits;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Records that wait or are in flight. */
  get queuedRecords(): number {
    return this.#waitingRecords;
  }

  /** Encoded bytes that wait or are in flight. */
  get queuedBytes(): number {
    return this.#waitingBytes;
  }

  /** When Kafka last acknowledged anything, in epoch milliseconds; minus infinity before the first time. */
  get lastSuccessMs(): number {
    return this.#lastSuccessMs;
  }

  /** Since when the record that waits longest has been waiting, in epoch milliseconds; `undefined` when none waits. */
  get waitingSinceMs(): number | undefined {
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const { records } of this.#inFlight) sinceMs = Math.min(sinceMs, records[0]?.addedMs ?? sinceMs);
    for (const { oldest } of this.#queues) sinceMs = Math.min(sinceMs, oldest?.addedMs ?? sinceMs);
    return Number.isFinite(sinceMs) ? sinceMs : undefined;
  }

  /**
   * Resolves when `record` is durable.
   *
   * @throws {QueueFullError} at once, when the queue is full.
   * @throws {RecordRefusedError} when Kafka will never take it.
   */
  add(record: OutgoingRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.enqueue(record, { acknowledged: () => resolve(), refused: (_record, error) => reject(error) });
    });
  }

  /**
   * Sends `record` as soon as its turn comes; `receipt` is told when it is durable, or refused for good.
   *
   * @throws {QueueFullError} when the queue is full; a record that is larger than all of it goes alone.
   */
  enqueue(record: OutgoingRecord, receipt: Receipt): void {
    const bytes = sizeOf(record);
    if (this.#waitingRecords > 0 && this.#waitingBytes + bytes > this.#limits.queueBytes) {
      throw new QueueFullError(`The queue in front of Kafka is full (${this.#limits.queueBytes} bytes)`);
    }
    const queue = this.#queueOf(record);
    queue.add({ record, bytes, addedMs: this.#clock.nowMs(), receipt });
    if (!queue.isListed) this.#queues.push(queue);
    queue.isListed = true;
    this.#waitingRecords += 1;
    this.#waitingBytes += bytes;
    if (!queue.isHeld) this.#wake();
    this.#running ??= this.#run();
  }

  /** Resolves when nothing waits or is in flight, which with Kafka away is never. */
  async drained(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  #queueOf({ topic, partition }: OutgoingRecord): PartitionQueue {
    const queues = this.#byTopic.get(topic) ?? [];
    if (queues.length === 0) this.#byTopic.set(topic, queues);
    const queue = queues[partition] ?? new PartitionQueue(topic, partition);
    queues[partition] = queue;
    return queue;
  }

  async #run(): Promise<void> {
    while (this.#waitingRecords > 0) {
      // What is added in one go goes together.
      await undefined;
      const batch = this.#nextBatch();
      if (batch.length === 0) await this.#untilSomethingCanGo();
      else await this.#deliver(batch);
    }
    this.#running = undefined;
  }

  /** As much as the limits allow, from every partition that is not held back. */
  #nextBatch(): readonly Group[] {
    const { partitionBytes, batchBytes } = this.#limits;
    const batch: Group[] = [];
    const waiting: PartitionQueue[] = [];
    let roomBytes = batchBytes;
    let isFull = false;
    for (const queue of this.#queues) {
      const { oldest } = queue;
      if (oldest === undefined) {
        queue.isListed = false;
        continue;
      }
      if (batch.length > 0 && oldest.bytes > roomBytes) isFull = true;
      if (isFull || queue.isHeld) {
        waiting.push(queue);
        continue;
      }
      const records = queue.take(Math.min(partitionBytes, roomBytes));
      for (const { bytes } of records) roomBytes -= bytes;
      batch.push({ queue, records });
    }
    // To the end of the line, so that a full batch does not starve those behind.
    this.#queues = waiting.concat(batch.map(({ queue }) => queue));
    return batch;
  }

  /** Waits until the first partition is let go of, or a record comes for one that is not held back. */
  async #untilSomethingCanGo(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = () => undefined;
  }

  async #deliver(batch: readonly Group[]): Promise<void> {
    this.#inFlight = batch;
    const left = batch.length > 1 ? await this.#trySend(batch) : batch;
    await Promise.all(left.map((group) => this.#deliverGroup(group)));
  }

  /** Returns what has to be sent again, each partition by itself. */
  async #trySend(batch: readonly Group[]): Promise<readonly Group[]> {
    const all: OutgoingRecord[] = [];
    for (const { records } of batch) for (const { record } of records) all.push(record);
    try {
      await this.#sink.send(all);
    } catch (error) {
      const about = { records: all.length, reason: messageOf(error) };
      this.#logger.warn(about, 'Kafka does not take a batch, sending its parts');
      if (!(error instanceof PartitionsFailedError)) return batch;
      const isFailed = ({ queue }: Group): boolean => error.failed.some((partition) => queue.isOf(partition));
      const left = batch.filter(isFailed);
      this.#settle(batch.filter((group) => !isFailed(group)));
      return left;
    }
    this.#settle(batch);
    return [];
  }

  #settle(groups: readonly Group[]): void {
    this.#inFlight = this.#inFlight === groups ? [] : this.#inFlight.filter((each) => !groups.includes(each));
    for (const { queue, records } of groups) {
      this.#succeeded(records);
      queue.trust();
    }
  }

  async #deliverGroup(group: Group): Promise<void> {
    const { queue, records } = group;
    const left = await this.#send(queue, records);
    this.#inFlight = this.#inFlight.filter((each) => each !== group);
    if (left.length === 0) {
      queue.trust();
      return;
    }
    queue.putBack(left);
    const pauseMs = queue.hold();
    this.#clock.after(pauseMs, () => {
      queue.letGo();
      this.#wake();
    });
  }

  /** Sends records of one partition. Returns those that have to be sent again; one that is refused for good is given up. */
  async #send(queue: PartitionQueue, records: readonly Waiting[]): Promise<readonly Waiting[]> {
    try {
      await this.#sink.send(records.map(({ record }) => record));
      this.#succeeded(records);
      return [];
    } catch (error) {
      const about = { partition: queue.name, records: records.length, reason: messageOf(error) };
      if (!(error instanceof RecordRefusedError)) {
        this.#logger.warn(about, 'Kafka does not take records, trying again');
        return records;
      }
      const [only] = records;
      if (records.length === 1 && only !== undefined) {
        this.#logger.error(about, 'Kafka refuses a record');
        this.#forget(records);
        only.receipt.refused(only.record, error);
        return [];
      }
      // Which record is at fault is found by halves.
      const middle = records.length >> 1;
      const left = await this.#send(queue, records.slice(0, middle));
      if (left.length > 0) return [...left, ...records.slice(middle)];
      return this.#send(queue, records.slice(middle));
    }
  }

  #succeeded(records: readonly Waiting[]): void {
    this.#lastSuccessMs = this.#clock.nowMs();
    this.#forget(records);
    for (const { record, receipt } of records) receipt.acknowledged(record);
  }

  #forget(records: readonly Waiting[]): void {
    this.#waitingRecords -= records.length;
    for (const { bytes } of records) this.#waitingBytes -= bytes;
  }
}

/** What Kafka adds to key, value and headers of a record, at most, in bytes. */
const recordOverheadBytes = 64;

function sizeOf({ key, value, headers }: OutgoingRecord): number {
  let bytes = key.length + (value?.length ?? 0) + recordOverheadBytes;
  if (headers === undefined) return bytes;
  // A header adds two lengths; a character of text is at most three bytes in UTF-8 for each of its UTF-16 units.
  for (const [name, text] of Object.entries(headers)) bytes += 3 * (name.length + text.length) + 10;
  return bytes;
}
