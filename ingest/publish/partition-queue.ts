import type { OutgoingRecord, TopicPartition } from '../../lib/kafka/ports.ts';

/** Is told, once a record, what became of it. */
export interface Receipt {
  acknowledged(record: OutgoingRecord): void;
  /** @param error why Kafka will never take it. */
  refused(record: OutgoingRecord, error: Error): void;
}

/** A record that waits to become durable. */
export interface Waiting {
  readonly record: OutgoingRecord;
  readonly bytes: number;
  readonly addedMs: number;
  readonly receipt: Receipt;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** The records of one partition that wait, in order, and whether the partition is held back after a failure. */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** Whether the batcher has it in its list. */
  isListed = false;
  #waiting: Waiting[] = [];
  #nextPauseMs = firstPauseMs;
  #isHeld = false;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get name(): string {
    return `${this.topic}/${this.partition}`;
  }

  isOf({ topic, partition }: TopicPartition): boolean {
    return topic === this.topic && partition === this.partition;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  get oldest(): Waiting | undefined {
    return this.#waiting[0];
  }

  add(record: Waiting): void {
    this.#waiting.push(record);
  }

  /** Takes records from the front, up to `limitBytes`, but at least one. */
  take(limitBytes: number): readonly Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.bytes > limitBytes) break;
      bytes += waiting.bytes;
      count += 1;
    }
    if (count < this.#waiting.length) return this.#waiting.splice(0, count);
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }

  /** Puts records that were taken back to the front. */
  putBack(records: readonly Waiting[]): void {
    this.#waiting = [...records, ...this.#waiting];
  }

  /** Holds the partition back; returns for how long: 100 ms, and twice as long each time in a row, up to 5 s. */
  hold(): number {
    this.#isHeld = true;
    const pauseMs = this.#nextPauseMs;
    this.#nextPauseMs = Math.min(2 * pauseMs, longestPauseMs);
    return pauseMs;
  }

  letGo(): void {
    this.#isHeld = false;
  }

  /** Forgets earlier failures. */
  trust(): void {
    this.#nextPauseMs = firstPauseMs;
  }
}
