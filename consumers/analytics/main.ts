import { Counter } from 'prom-client';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RunningService } from '../../lib/run-service.ts';
import type { ConsumerDefinition } from '../runtime/definition.ts';
import { startConsumerService } from '../runtime/service.ts';
import type { AnalyticsConfig } from './config.ts';
import { AnalyticsProcessor, type Counts } from './processor.ts';
import { dimensions, isRemembered, Windows } from './windows.ts';

/** What analytics is. */
export function analyticsDefinition(
  config: AnalyticsConfig,
): ConsumerDefinition<'verdict', 'analytics.state', (typeof dimensions)[number]> {
  return {
    name: 'analytics',
    input: 'verdict',
    fields: dimensions,
    outputs: ['rollup'],
    state: 'analytics.state',
    progress: 'analytics.progress',
    processors: ({ metrics }) => {
      const counts: Counts = { counted: 0, late: 0, 'too late': 0 };
      new Counter({
        name: 'analytics_verdicts_total',
        help: 'Verdicts, by how they were counted: in their window, late, or not as they came more than six hours too late',
        labelNames: ['how'] as const,
        registers: [metrics.registry],
        collect() {
          this.reset();
          for (const [how, count] of Object.entries(counts)) this.inc({ how }, count);
        },
      });
      return () =>
        ({ partition, state, nextOffset }) => {
          return new AnalyticsProcessor(new Windows({ partition, nextOffset, state, ...config }), counts);
        };
    },
    comparable: ({ windowStart, verdicts }, newestMs) => (isRemembered(windowStart, newestMs) ? verdicts : undefined),
  };
}

/** Starts analytics: verdicts in, numbers by minute, scene, label, suggestion and result out. */
export function startAnalytics(
  config: AnalyticsConfig,
  logger: Logger,
  clock: Clock = systemClock,
): Promise<RunningService> {
  return startConsumerService({ definition: analyticsDefinition(config), config, clock, logger });
}
