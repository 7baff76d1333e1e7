import { Counter } from 'prom-client';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RunningService } from '../../lib/run-service.ts';
import { startConsumerService } from '../runtime/service.ts';
import type { AnalyticsConfig } from './config.ts';
import { AnalyticsProcessor } from './processor.ts';
import { Windows } from './windows.ts';

/** How far back rows are read after a restart: those of windows that verdicts may still belong to. */
const readBackMs = 6 * 60 * 60_000;

/** Starts analytics: verdicts in, numbers by minute, scene, label, suggestion and result out. */
export function startAnalytics(
  config: AnalyticsConfig,
  logger: Logger,
  clock: Clock = systemClock,
): Promise<RunningService> {
  return startConsumerService({
    name: 'analytics',
    input: 'verdict',
    outputs: ['rollup'],
    config,
    clock,
    logger,
    processors: ({ metrics, readBack }) => {
      const counted = new Counter({
        name: 'analytics_verdicts_total',
        help: 'Verdicts, by how they were counted: in their window, late, or not because they were counted before',
        labelNames: ['how'] as const,
        registers: [metrics.registry],
      });
      return async (partitions) => {
        const windows = new Map(partitions.map((partition) => [partition, new Windows(partition, config)]));
        await readBack('rollup', 'all', { sinceMs: clock.nowMs() - readBackMs }, (rollup) => {
          windows.get(rollup.inputPartition)?.restore(rollup);
        });
        return new Map(Array.from(windows, ([partition, each]) => [partition, new AnalyticsProcessor(each, counted)]));
      };
    },
  });
}
