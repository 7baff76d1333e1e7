import { Counter } from 'prom-client';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RunningService } from '../../lib/run-service.ts';
import type { ConsumerDefinition } from '../runtime/definition.ts';
import { startConsumerService } from '../runtime/service.ts';
import type { PenaltiesConfig } from './config.ts';
import { judgedFields } from './policy.ts';
import { PenaltiesProcessor } from './processor.ts';
import { Standing } from './standing.ts';

/** What penalties is. */
export function penaltiesDefinition(
  config: PenaltiesConfig,
): ConsumerDefinition<'verdict', 'penalty.state', (typeof judgedFields)[number]> {
  const policy = { ...config, exemptAccounts: new Set(config.exemptAccounts) };
  return {
    name: 'penalties',
    input: 'verdict',
    fields: judgedFields,
    outputs: ['penalty.ledger'],
    state: 'penalty.state',
    progress: 'penalties.progress',
    processors: ({ metrics, logger }) => {
      const entries = new Counter({
        name: 'penalties_ledger_entries_total',
        help: 'Strikes and decisions, by kind',
        labelNames: ['kind'] as const,
        registers: [metrics.registry],
      });
      return () =>
        ({ state }) =>
          new PenaltiesProcessor({ policy, state, entries, logger });
    },
    comparable: (kept, newestMs) => {
      const standing = new Standing(policy, kept);
      return standing.isEmpty(newestMs) ? undefined : kept;
    },
  };
}

/** Starts penalties: verdicts in, strikes and decisions out, in shadow: nothing is done to anyone. */
export function startPenalties(
  config: PenaltiesConfig,
  logger: Logger,
  clock: Clock = systemClock,
): Promise<RunningService> {
  return startConsumerService({ definition: penaltiesDefinition(config), config, clock, logger });
}
