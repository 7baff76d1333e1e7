import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RecordOf } from '../../schemas/generated/events.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { type TopicId, topics } from '../../schemas/topics.ts';
import { type Decoder, EventDecoder } from './decoder.ts';
import type { History } from './history.ts';
import type { ConsumerMetrics } from './metrics.ts';
import type { AnyEvent, CreateProcessors } from './processor.ts';

/** The record that stands on a topic. */
export type RecordOn<I extends TopicId> = (typeof topics)[I]['record'];

/** Topics of events that can be consumed. */
export type EventTopicId = { [I in TopicId]: RecordOf[RecordOn<I>] extends AnyEvent ? I : never }[TopicId];

/** What a service may use to make its processors. */
export interface ProcessorContext extends History {
  readonly metrics: Pick<ConsumerMetrics, 'registry'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Fields of the events on a topic. */
export type FieldOn<I extends EventTopicId> = keyof RecordOf[RecordOn<I>] & string;

/** An event of a topic with some of its fields. */
export type EventOn<I extends EventTopicId, F extends FieldOn<I>> = AnyEvent & Pick<RecordOf[RecordOn<I>], F>;

/** What a consumer is, whoever runs it. */
export interface ConsumerDefinition<I extends EventTopicId, S extends TopicId, F extends FieldOn<I>> {
  readonly name: string;
  readonly input: I;
  /** What its processors look at, beside the id and the time; nothing else is decoded. */
  readonly fields: readonly F[];
  /** Topics that it writes to, beside the dead letters. */
  readonly outputs: readonly TopicId[];
  /** Where the state of its processors stands; left out by those that have none. */
  readonly state?: S;
  /** Where the ids of the events that it has taken stand. */
  readonly progress: 'analytics.progress' | 'penalties.progress' | 'alerting.progress';
  readonly processors: (context: ProcessorContext) => CreateProcessors<EventOn<I, F>, RecordOf[RecordOn<S>]>;
  /**
   * What of a value of the state follows from the events alone, whenever they are handled; `undefined` for one that may be there or not.
   *
   * @param newestMs latest `receivedAt` of the events.
   */
  readonly comparable?: (value: RecordOf[RecordOn<S>], newestMs: number) => unknown;
}

/** Decodes the events of a consumer's input as its processors see them. */
export function eventDecoder<I extends EventTopicId, F extends FieldOn<I>>(
  { input, fields }: Pick<ConsumerDefinition<I, never, F>, 'input' | 'fields'>,
  registry: SchemaRegistry,
): Decoder<EventOn<I, F>> {
  return new EventDecoder(topics[input].record, registry, new Set<string>(['eventId', 'receivedAt', ...fields]));
}
