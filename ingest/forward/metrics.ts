import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/**
 * What became of relaying a callback. before: answered, or the default stood because the answer was late, was none, or failed
 * to come. after: ok, refused by the backend, failed for too long, dropped because too many wait or ingest stops. loop: it had
 * been relayed before.
 */
export type ForwardOutcome = 'answered' | 'late' | 'invalid' | 'failed' | 'ok' | 'refused' | 'dropped' | 'loop';

export interface ForwardMetrics {
  done(kind: 'before' | 'after', outcome: ForwardOutcome, seconds: number): void;
  repeated(): void;
}

export function createForwardMetrics(
  registry: Registry,
  waiting: { readonly callbacks: number; readonly bytes: number },
): ForwardMetrics {
  const registers = [registry];
  const labelNames = ['kind', 'outcome'] as const;
  const forwarded = new Counter({
    name: 'ingest_forwarded_total',
    help: 'Callbacks relayed to INGEST_FORWARD_URL, by kind (before, after) and outcome',
    labelNames,
    registers,
  });
  const seconds = new Histogram({
    name: 'ingest_forward_seconds',
    help: 'Time from the arrival of a callback to the outcome of relaying it',
    labelNames: ['kind'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.7, 5, 15, 60],
    registers,
  });
  const repeats = new Counter({
    name: 'ingest_forward_retries_total',
    help: 'Attempts to relay a callback beyond the first',
    registers,
  });
  new Gauge({
    name: 'ingest_forward_waiting',
    help: 'Callbacks that are being relayed or wait for it',
    registers,
    collect() {
      this.set(waiting.callbacks);
    },
  });
  new Gauge({
    name: 'ingest_forward_waiting_bytes',
    help: 'Bytes of the callbacks that are being relayed or wait for it',
    registers,
    collect() {
      this.set(waiting.bytes);
    },
  });
  return {
    done: (kind, outcome, tookSeconds) => {
      forwarded.inc({ kind, outcome });
      seconds.observe({ kind }, tookSeconds);
    },
    repeated: () => repeats.inc(),
  };
}
