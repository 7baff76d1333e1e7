import { Counter } from 'prom-client';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RunningService } from '../../lib/run-service.ts';
import { startConsumerService } from '../runtime/service.ts';
import type { PenaltiesConfig } from './config.ts';
import { PenaltiesProcessor } from './processor.ts';

/** Starts penalties: verdicts in, strikes and decisions out, in shadow: nothing is done to anyone. */
export function startPenalties(
  config: PenaltiesConfig,
  logger: Logger,
  clock: Clock = systemClock,
): Promise<RunningService> {
  const policy = { ...config, exemptAccounts: new Set(config.exemptAccounts) };
  return startConsumerService({
    name: 'penalties',
    input: 'verdict',
    outputs: ['penalty.ledger'],
    copartitioned: 'penalty.ledger',
    config,
    clock,
    logger,
    processors: ({ metrics, readBack }) => {
      const registers = [metrics.registry];
      const entries = new Counter({
        name: 'penalties_ledger_entries_total',
        help: 'Strikes and decisions, by kind',
        labelNames: ['kind'] as const,
        registers,
      });
      const repeats = new Counter({
        name: 'penalties_repeated_verdicts_total',
        help: 'Verdicts that were strikes already: delivered again by Tencent, or handled again after a restart',
        registers,
      });
      return async (partitions) => {
        const options = { policy, entries, repeats, logger };
        const processors = new Map(partitions.map((partition) => [partition, new PenaltiesProcessor(options)]));
        const sinceMs = clock.nowMs() - Math.max(policy.strikeWindowMs, policy.muteMs);
        await readBack('penalty.ledger', partitions, { sinceMs }, (entry, partition) => {
          processors.get(partition)?.restore(entry);
        });
        return processors;
      };
    },
  });
}
