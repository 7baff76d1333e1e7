import { Counter } from 'prom-client';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RunningService } from '../../lib/run-service.ts';
import type { Alert, ContentVerdict } from '../../schemas/generated/events.ts';
import type { ConsumerDefinition } from '../runtime/definition.ts';
import { startConsumerService } from '../runtime/service.ts';
import type { AlertingConfig } from './config.ts';
import { Detector, watchedFields } from './detector.ts';
import { AlertingProcessor } from './processor.ts';
import { windowsLookedAt } from './series.ts';

/** What alerting is. */
export function alertingDefinition(
  config: AlertingConfig,
): ConsumerDefinition<'verdict', never, (typeof watchedFields)[number]> {
  return {
    name: 'alerting',
    input: 'verdict',
    fields: watchedFields,
    outputs: ['alert'],
    progress: 'alerting.progress',
    processors: ({ metrics, clock, logger, readBack, readPartition }) => {
      const alerts = new Counter({
        name: 'alerting_alerts_total',
        help: 'Alerts, by status: FIRING when an incident begins, RESOLVED when it is over',
        labelNames: ['status'] as const,
        registers: [metrics.registry],
      });
      const horizonMs = windowsLookedAt * config.windowMs;
      const restoreIncidents = async (detector: Detector): Promise<void> => {
        const found: Alert[] = [];
        await readBack('alert', 'beginning', (alert) => void found.push(alert));
        for (const alert of found) detector.restore(alert, clock.nowMs());
      };
      return () => {
        const detector = new Detector(config);
        let restored: Promise<void> | undefined;
        return async ({ partition, nextOffset, signal }) => {
          restored ??= restoreIncidents(detector).catch((error: unknown) => {
            restored = undefined;
            throw error;
          });
          await restored;
          // All at once when all is read, as it is read again when that fails; by id, as a repeat does not count.
          const verdicts = new Map<string, ContentVerdict>();
          const range = { sinceMs: clock.nowMs() - horizonMs, untilOffset: nextOffset };
          await readPartition('verdict', partition, range, signal, (each) => void verdicts.set(each.eventId, each));
          for (const verdict of verdicts.values()) detector.add(verdict);
          return new AlertingProcessor({ detector, alerts, logger });
        };
      };
    },
  };
}

/**
 * Starts alerting: verdicts in, alerts out, and into the log. One instance at a time sees everything; several would share the
 * partitions, and each would see a part of a spike.
 */
export function startAlerting(
  config: AlertingConfig,
  logger: Logger,
  clock: Clock = systemClock,
): Promise<RunningService> {
  return startConsumerService({ definition: alertingDefinition(config), config, clock, logger });
}
