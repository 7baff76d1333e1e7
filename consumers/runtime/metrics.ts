import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { TopicId } from '../../schemas/topics.ts';

/** What a consumer waits for when it tries again. */
export type RetryClass = 'broker' | 'registry' | 'transaction';

/** What becomes of an event. */
export type OutcomeKind = 'ok' | 'skip' | 'park' | 'repeat';

/** The numbers that every consumer service has. */
export interface ConsumerMetrics {
  readonly registry: Registry;
  handled(counts: Readonly<Record<OutcomeKind, number>>): void;
  written(topic: TopicId): void;
  /** @param lagMs age of the last record that was handled; 0 when there is none behind it. */
  lag(partition: number, records: number, lagMs: number): void;
  /** Forgets the lag of partitions that are somebody else's now. */
  noLag(): void;
  batch(events: number, durationMs: number): void;
  committed(durationMs: number): void;
  retried(what: RetryClass): void;
  restored(from: 'snapshot' | 'topic', durationMs: number): void;
  rebalanced(): void;
}

/** What is asked when the numbers are read. */
export interface ConsumerState {
  /** Partitions that are consumed, and those that are being taken. */
  readonly partitions: { readonly running: number; readonly claiming: number; readonly stopped: number };
  /** How long the oldest work that has begun is under way, in milliseconds. */
  readonly oldestInFlightMs: number;
}

const secondBuckets = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

export function createConsumerMetrics(stateNow: () => ConsumerState): ConsumerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const handled = new Counter({
    name: 'consumer_events_total',
    help: 'Events handled, by outcome: ok, skip (nothing to do), park (became a dead letter), repeat (taken before). What an aborted transaction had handled counts again',
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
  const lagSeconds = new Gauge({
    name: 'consumer_lag_seconds',
    help: 'Age of the last record that was handled when others are behind it, by partition of the input',
    labelNames: ['partition'] as const,
    registers,
  });
  const batchEvents = new Histogram({
    name: 'consumer_batch_events',
    help: 'Events in a transaction',
    buckets: [1, 3, 10, 30, 100, 300, 1_000, 3_000],
    registers,
  });
  const batchSeconds = new Histogram({
    name: 'consumer_batch_seconds',
    help: 'Time from taking the events of a transaction to its commit',
    buckets: secondBuckets,
    registers,
  });
  const commitSeconds = new Histogram({
    name: 'consumer_commit_seconds',
    help: 'Time that Kafka takes for a transaction',
    buckets: secondBuckets,
    registers,
  });
  const retries = new Counter({
    name: 'consumer_retries_total',
    help: 'Attempts that failed and were made again, by what failed: broker, registry, transaction (aborted)',
    labelNames: ['class'] as const,
    registers,
  });
  const restores = new Counter({
    name: 'consumer_restores_total',
    help: 'Partitions whose state was restored, by where from: snapshot (and what came after it), topic (all of it)',
    labelNames: ['from'] as const,
    registers,
  });
  const restoreSeconds = new Histogram({
    name: 'consumer_restore_seconds',
    help: 'Time that restoring the state of a partition took',
    buckets: secondBuckets,
    registers,
  });
  const rebalances = new Counter({
    name: 'consumer_rebalances_total',
    help: 'Times that the group has shared its partitions anew',
    registers,
  });
  new Gauge({
    name: 'consumer_partitions',
    help: 'Partitions of this instance: running, claiming (taken over and restored now), stopped (a person has to look)',
    labelNames: ['state'] as const,
    registers,
    collect() {
      for (const [state, count] of Object.entries(stateNow().partitions)) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'consumer_oldest_in_flight_seconds',
    help: 'How long the oldest transaction is under way',
    registers,
    collect() {
      this.set(stateNow().oldestInFlightMs / 1_000);
    },
  });
  return {
    registry,
    handled: (counts) => {
      for (const [outcome, count] of Object.entries(counts)) if (count > 0) handled.inc({ outcome }, count);
    },
    written: (topic) => written.inc({ topic }),
    lag: (partition, records, lagMs) => {
      lag.set({ partition }, records);
      lagSeconds.set({ partition }, lagMs / 1_000);
    },
    noLag: () => {
      lag.reset();
      lagSeconds.reset();
    },
    batch: (events, durationMs) => {
      batchEvents.observe(events);
      batchSeconds.observe(durationMs / 1_000);
    },
    committed: (durationMs) => commitSeconds.observe(durationMs / 1_000),
    retried: (what) => retries.inc({ class: what }),
    restored: (from, durationMs) => {
      restores.inc({ from });
      restoreSeconds.observe(durationMs / 1_000);
    },
    rebalanced: () => rebalances.inc(),
  };
}
