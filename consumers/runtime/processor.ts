import type { ConsumerReason } from '../../schemas/dead-letter-reasons.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';
import type { Effect, Effects } from './effects/effects.ts';
import type { State } from './state/state-store.ts';

/** What every event has that can be consumed: an id, by which repeats are known, and a time, in epoch milliseconds. */
export interface AnyEvent {
  readonly eventId: string;
  readonly receivedAt: number;
}

/** An event as a processor gets it. */
export interface Received<E extends AnyEvent> {
  readonly value: E;
  readonly offset: number;
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
 * network; events come in the order of the partition, each id once, and no two calls overlap.
 *
 * What it gives out, what it changes of its state and how far it has come take effect together, or not at all: then it is dropped,
 * and another one begins with the state of before.
 */
export interface PartitionProcessor<E extends AnyEvent> {
  /** Takes the next event. An exception is a bug and ends the process. */
  take(event: Received<E>): Outcome;
  /** What is to be written because time has passed; asked about every second. */
  tick?(nowMs: number): readonly TopicRecord[];
  /** What it does outside of Kafka, if anything. */
  readonly effects?: Effects<Effect, unknown>;
}

/** What a processor begins with. */
export interface PartitionContext<V> {
  readonly partition: number;
  /** What the processors of this partition have kept; changes belong to the transaction of the event or tick that makes them. */
  readonly state: State<V>;
  /** Offset of the first event that it will take. */
  readonly nextOffset: number;
  /** Ends what it waits for, when the partition is lost. */
  readonly signal: AbortSignal;
}

/** Makes the processor of a partition. */
export type CreateProcessor<E extends AnyEvent, V> = (
  context: PartitionContext<V>,
) => PartitionProcessor<E> | Promise<PartitionProcessor<E>>;

/** Called with all partitions that an instance gets at once; a processor is made with what this returns. */
export type CreateProcessors<E extends AnyEvent, V> = (partitions: readonly number[]) => CreateProcessor<E, V>;
