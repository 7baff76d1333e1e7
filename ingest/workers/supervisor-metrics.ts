import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** The numbers of the supervisor itself: its workers, and what its own process adds to theirs. */
export interface SupervisorMetrics {
  readonly registry: Registry;
  restarted(): void;
}

/** @param serving how many workers take callbacks. */
export function createSupervisorMetrics(serving: () => number): SupervisorMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) {
    // Its event loop hands connections on; how it does is not how callbacks fare.
    if (name.startsWith('nodejs_')) registry.removeSingleMetric(name);
  }
  new Gauge({
    name: 'ingest_workers',
    help: 'Processes that take callbacks (INGEST_WORKERS)',
    registers,
    collect() {
      this.set(serving());
    },
  });
  const restarts = new Counter({
    name: 'ingest_worker_restarts_total',
    help: 'Workers that ended unasked and were started again',
    registers,
  });
  return { registry, restarted: () => restarts.inc() };
}
