import type { Registry } from 'prom-client';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { IngestConfig } from '../config.ts';
import { asksBefore } from '../tencent/commands.ts';
import { Backend } from './backend.ts';
import { Forwarder } from './forwarder.ts';
import { createForwardMetrics } from './metrics.ts';
import { RelayQueue } from './relay-queue.ts';

export interface Forwarding {
  readonly forwarder: Forwarder;
  /** Gives what waits a last `graceMs`, then drops it. */
  stop(graceMs: number): Promise<void>;
}

/** The way to the backend that the settings name, or `undefined` when they name none. */
export function startForwarding(
  config: IngestConfig,
  registry: Registry,
  clock: Clock,
  logger: Logger,
): Forwarding | undefined {
  const { forwardUrl: url, forwardCa: caFile, forwardConnections: connections, forwardDeadlineMs: deadlineMs } = config;
  if (url === undefined) return undefined;
  const backend = new Backend({ url, caFile, connections });
  const limits = { queueBytes: config.forwardQueueBytes, connections, retryMs: config.forwardRetryMs };
  const queue = new RelayQueue(backend, limits, { clock, random: Math.random, onRetry: () => metrics.repeated() });
  const metrics = createForwardMetrics(registry, queue);
  const forwarder = new Forwarder({ backend, queue, deadlineMs, asksBefore, metrics, clock, logger });
  logger.info({ url, deadlineMs }, 'callbacks are relayed');
  return {
    forwarder,
    stop: async (graceMs) => {
      const cancel = clock.after(graceMs, () => {
        logger.warn(
          { callbacks: queue.callbacks },
          'callbacks that waited for the backend are dropped, as ingest stops',
        );
        queue.stop();
      });
      await queue.drained();
      cancel();
      await backend.close();
    },
  };
}
