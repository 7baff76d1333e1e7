import type { TopicRecord } from '../../../schemas/record-writer.ts';

/** Something outside of Kafka that is to be done. */
export interface Effect {
  /** The same each time that it is tried, so that whoever can may tell a repeat by it. */
  readonly id: string;
  /** Effects of a key are done one after the other, in the order in which they were given. */
  readonly key: string;
}

export interface Attempt {
  /** True when an attempt before this one may have succeeded: it failed, or its outcome was not committed. */
  readonly mayBeDone: boolean;
  /** Aborted when the partition is lost: whoever has it then tries again. */
  readonly signal: AbortSignal;
}

/**
 * What a processor does outside of Kafka, in three steps: the intent is kept in its state, and committed; then the effect is performed;
 * then its outcome is committed, together with the change of the state that closes it. So an effect is never forgotten, and may be performed
 * more than once only when a process ends between effect and outcome.
 */
export interface Effects<E extends Effect, R> {
  /** What the state says is to be done, in order; asked when a partition is taken and after each commit. */
  open(): Iterable<E>;
  /** Does it. An `AppError` that is retryable is tried again, while other keys go on; any other error is a bug. */
  perform(effect: E, attempt: Attempt): Promise<R>;
  /** What follows from its result, and removes it from what is open. */
  settle(effect: E, result: R): readonly TopicRecord[];
}
