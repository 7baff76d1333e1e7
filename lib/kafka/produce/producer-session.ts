import type { BatchIdentity } from './record-batch.ts';

/** Sequence numbers are 31 bits wide, and a broker takes none beyond. */
export const lastSequence = 2 ** 31 - 1;

/**
 * An idempotent producer as the brokers know it: an id, and for each partition the number of the next record.
 *
 * A batch that is sent again with the identity that it has been given is written once. A session ends with the first batch that is
 * given up, as the brokers then miss a number, and before its numbers run out.
 */
export class ProducerSession {
  readonly #producerId: bigint;
  readonly #producerEpoch: number;
  readonly #limit: number;
  readonly #isTransactional: boolean;
  readonly #next = new Map<string, number>();

  /** @param limit the last number that is used. */
  constructor(producerId: bigint, producerEpoch: number, limit = lastSequence, isTransactional = false) {
    this.#producerId = producerId;
    this.#producerEpoch = producerEpoch;
    this.#limit = limit;
    this.#isTransactional = isTransactional;
  }

  /** Whether `records` more records for one partition of `partitions` would go beyond the last number. */
  isSpent(partitions: Iterable<string>, records: number): boolean {
    for (const partition of partitions) {
      if ((this.#next.get(partition) ?? 0) + records - 1 > this.#limit) return true;
    }
    return false;
  }

  /** The identity of the next batch, of `records` records, for `partition` (any name that is its own). */
  identify(partition: string, records: number): BatchIdentity {
    const firstSequence = this.#next.get(partition) ?? 0;
    this.#next.set(partition, firstSequence + records);
    const identity = { producerId: this.#producerId, producerEpoch: this.#producerEpoch, firstSequence };
    return this.#isTransactional ? { ...identity, isTransactional: true } : identity;
  }
}
