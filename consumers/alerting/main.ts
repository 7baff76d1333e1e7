import { Counter } from 'prom-client';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RunningService } from '../../lib/run-service.ts';
import { startConsumerService } from '../runtime/service.ts';
import type { AlertingConfig } from './config.ts';
import { Detector } from './detector.ts';
import { AlertingProcessor } from './processor.ts';
import { windowsLookedAt } from './series.ts';

/**
 * Starts alerting: verdicts in, alerts out, and into the log. One instance at a time sees everything; several would share the
 * partitions, and each would see a part of a spike.
 */
export function startAlerting(
  config: AlertingConfig,
  logger: Logger,
  clock: Clock = systemClock,
): Promise<RunningService> {
  return startConsumerService({
    name: 'alerting',
    input: 'verdict',
    outputs: ['alert'],
    config,
    clock,
    logger,
    processors: ({ metrics, readBack }) => {
      const alerts = new Counter({
        name: 'alerting_alerts_total',
        help: 'Alerts, by status: FIRING when an incident begins, RESOLVED when it is over',
        labelNames: ['status'] as const,
        registers: [metrics.registry],
      });
      return async (partitions) => {
        const detector = new Detector(config);
        await readBack('alert', 'all', 'beginning', (alert) => detector.restore(alert, clock.nowMs()));
        const options = { detector, horizonMs: windowsLookedAt * config.windowMs, alerts, logger };
        return new Map(partitions.map((partition) => [partition, new AlertingProcessor(options)]));
      };
    },
  });
}
