import type { RecordName } from '../../schemas/generated/events.ts';
import type { PartitionProcessor } from './processor.ts';

/** One partition while this instance has it: its processor, and one piece of work after the other. */
export class Lane<N extends RecordName> {
  readonly partition: number;
  readonly processor: PartitionProcessor<N>;
  #next: bigint | undefined;
  #first: bigint | undefined;
  #committed: bigint | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(partition: number, processor: PartitionProcessor<N>) {
    this.partition = partition;
    this.processor = processor;
  }

  /**
   * Runs `work` when all work before it has ended. Work that has failed is the last: what comes after would commit over what it
   * has not written, so it is not run and fails likewise.
   */
  run(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work);
    return this.#work;
  }

  /** Says that the processor has the event at `offset`. */
  took(offset: bigint): void {
    this.#first ??= offset;
    this.#next = offset + 1n;
  }

  /** Offset behind the last event that was taken; `undefined` before the first. */
  get next(): bigint | undefined {
    return this.#next;
  }

  /** Where the partition is to be begun anew; `undefined` while nothing was taken. */
  get beginning(): bigint | undefined {
    return this.#committed ?? this.#first;
  }

  /** The offset to commit now, `undefined` when that has been done. */
  get uncommitted(): bigint | undefined {
    const offset = this.processor.resumeOffset?.() ?? this.#next;
    return offset === this.#committed ? undefined : offset;
  }

  committed(offset: bigint): void {
    this.#committed = offset;
  }
}
