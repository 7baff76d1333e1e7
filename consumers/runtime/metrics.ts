import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { TopicId } from '../../schemas/topics.ts';

/** The counters that every consumer service has. */
export interface ConsumerMetrics {
  readonly registry: Registry;
  handled(outcome: 'ok' | 'skip' | 'park'): void;
  written(topic: TopicId): void;
  lag(partition: number, records: number): void;
  /** Forgets the lag of partitions that are somebody else's now. */
  noLag(): void;
}

export function createConsumerMetrics(): ConsumerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const handled = new Counter({
    name: 'consumer_events_total',
    help: 'Events handled, by outcome: ok, skip (nothing to do), park (became a dead letter). Redelivered ones count again',
    labelNames: ['outcome'] as const,
    registers,
  });
  const written = new Counter({
    name: 'consumer_records_written_total',
    help: 'Records that are durable on a topic of this service, by topic',
    labelNames: ['topic'] as const,
    registers,
  });
  const lag = new Gauge({
    name: 'consumer_lag_records',
    help: 'Records behind the last one that was handled, by partition of the input',
    labelNames: ['partition'] as const,
    registers,
  });
  return {
    registry,
    handled: (outcome) => handled.inc({ outcome }),
    written: (topic) => written.inc({ topic }),
    lag: (partition, records) => lag.set({ partition }, records),
    noLag: () => lag.reset(),
  };
}
