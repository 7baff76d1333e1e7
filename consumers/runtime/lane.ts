import type { RecordName } from '../../schemas/generated/events.ts';
import type { PartitionProcessor } from './processor.ts';

/** One partition while this instance has it: its processor, and one piece of work after the other. */
export class Lane<N extends RecordName> {
  readonly partition: number;
  readonly processor: PartitionProcessor<N>;
  /** Offset behind the last event that was taken; `undefined` before the first. */
  next: bigint | undefined;
  #committed: bigint | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(partition: number, processor: PartitionProcessor<N>) {
    this.partition = partition;
    this.processor = processor;
  }

  /** Runs `work` when all work before it has ended. */
  run(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** The offset to commit now, `undefined` when that has been done. */
  get uncommitted(): bigint | undefined {
    const offset = this.processor.resumeOffset?.() ?? this.next;
    return offset === this.#committed ? undefined : offset;
  }

  committed(offset: bigint): void {
    this.#committed = offset;
  }
}
