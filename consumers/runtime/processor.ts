import type { ConsumerReason } from '../../schemas/dead-letter-reasons.ts';
import type { RecordName, RecordOf } from '../../schemas/generated/events.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';

/** An event as a processor gets it. */
export interface Received<N extends RecordName> {
  readonly value: RecordOf[N];
  readonly partition: number;
  readonly offset: bigint;
}

/**
 * What became of an event: `ok`, with what is to be written; `skip`, there was nothing to do; `park`, it cannot be handled and
 * becomes a dead letter.
 */
export type Outcome =
  | { readonly kind: 'ok'; readonly outputs?: readonly TopicRecord[] }
  | { readonly kind: 'skip'; readonly why: string }
  | { readonly kind: 'park'; readonly reason: ConsumerReason; readonly detail: string };

/**
 * The logic of a consumer for one partition of its input, from the moment it gets the partition until it loses it. It knows no
 * clock and no network; events come in the order of the partition, and no two calls overlap.
 */
export interface PartitionProcessor<N extends RecordName> {
  /** Takes the next event. An exception is a bug and ends the process. */
  take(event: Received<N>): Outcome;
  /** What is to be written because time has passed; asked about every second. */
  tick?(nowMs: number): readonly TopicRecord[];
  /** The offset to begin with after a restart; `undefined` when all that was taken is settled. */
  resumeOffset?(): bigint | undefined;
}
