import { AggregatorRegistry, Registry } from 'prom-client';
import type { Metric } from './messages.ts';

/** How numbers of Node itself become one, where its client has another idea: the worst loop counts, and the oldest start. */
const nodesOwn: Readonly<Record<string, string>> = {
  nodejs_eventloop_lag_seconds: 'max',
  nodejs_eventloop_lag_mean_seconds: 'max',
  nodejs_eventloop_lag_stddev_seconds: 'max',
  nodejs_eventloop_lag_p50_seconds: 'max',
  nodejs_eventloop_lag_p90_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
  process_start_time_seconds: 'min',
  process_max_fds: 'min',
};

/**
 * The metrics of several processes as those of one. What a process that has ended had counted stays counted, and one that does not
 * answer counts as it last did: a sum that fell would look like a counter that began anew.
 */
export class MergedMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #last = new Map<object, readonly Metric[]>();
  /** Counters and histograms of the processes that have ended. */
  #ended: readonly Metric[] = [];

  /** Takes the newest metrics of `process`. */
  take(process: object, metrics: readonly Metric[]): void {
    this.#last.set(process, metrics);
  }

  /** Keeps of `process` what it has counted, and forgets how it is. */
  end(process: object): void {
    const counted = (this.#last.get(process) ?? []).filter(({ type }) => isCount(type));
    this.#last.delete(process);
    if (counted.length > 0) this.#ended = merged([this.#ended, counted]);
  }

  /** Everything in Prometheus text, with the metrics of the supervisor itself. */
  text(own: readonly Metric[]): Promise<string> {
    return registryOf([own, ...this.#last.values(), this.#ended]).metrics();
  }
}

/** prom-client has numbers for the types, and words in what it gives as JSON. */
function isCount(type: unknown): boolean {
  return type === 'counter' || type === 'histogram';
}

function registryOf(processes: readonly (readonly Metric[])[]): Registry {
  return AggregatorRegistry.aggregate(processes.map((metrics) => metrics.map(usable)));
}

function merged(processes: readonly (readonly Metric[])[]): readonly Metric[] {
  return registryOf(processes).getMetricsAsArray() as unknown as readonly Metric[];
}

/** A number that is none has been lost on the way: JSON has no word for it. */
function usable(metric: Metric): Metric {
  const { name, help, type, values, aggregator } = metric;
  const numbers = values.filter(({ value }) => Number.isFinite(value));
  return { name, help, type, values: numbers, aggregator: nodesOwn[name] ?? aggregator } as Metric;
}
