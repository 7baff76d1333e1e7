import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RecordOf } from '../../schemas/generated/events.ts';
import type { TopicId, topics } from '../../schemas/topics.ts';
import type { History } from './history.ts';
import type { ConsumerMetrics } from './metrics.ts';
import type { CreateProcessors, EventName } from './processor.ts';

/** The record that stands on a topic. */
export type RecordOn<I extends TopicId> = (typeof topics)[I]['record'];

/** Topics of events that can be consumed. */
export type EventTopicId = { [I in TopicId]: RecordOn<I> extends EventName ? I : never }[TopicId];

/** What a service may use to make its processors. */
export interface ProcessorContext extends History {
  readonly metrics: Pick<ConsumerMetrics, 'registry'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What a consumer is, whoever runs it. */
export interface ConsumerDefinition<I extends EventTopicId, S extends TopicId> {
  readonly name: string;
  readonly input: I;
  /** Topics that it writes to, beside the dead letters. */
  readonly outputs: readonly TopicId[];
  /** Where the state of its processors stands; left out by those that have none. */
  readonly state?: S;
  /** Where the ids of the events that it has taken stand. */
  readonly progress: 'analytics.progress' | 'penalties.progress' | 'alerting.progress';
  readonly processors: (context: ProcessorContext) => CreateProcessors<RecordOn<I> & EventName, RecordOf[RecordOn<S>]>;
  /**
   * What of a value of the state follows from the events alone, whenever they are handled; `undefined` for one that may be there or not.
   *
   * @param newestMs latest `receivedAt` of the events.
   */
  readonly comparable?: (value: RecordOf[RecordOn<S>], newestMs: number) => unknown;
}
