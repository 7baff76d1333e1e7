import { alertingSettings, readAlertingConfig } from '../consumers/alerting/config.ts';
import { startAlerting } from '../consumers/alerting/main.ts';
import { analyticsSettings, readAnalyticsConfig } from '../consumers/analytics/config.ts';
import { startAnalytics } from '../consumers/analytics/main.ts';
import { penaltiesSettings, readPenaltiesConfig } from '../consumers/penalties/config.ts';
import { startPenalties } from '../consumers/penalties/main.ts';
import { ingestSettings, readIngestConfig } from '../ingest/config.ts';
import { startIngestService } from '../ingest/service.ts';
import { workerNumber } from '../ingest/workers/worker-number.ts';
import type { Sources } from '../lib/config/read.ts';
import { ConfigError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { RunningService } from '../lib/run-service.ts';

/** One service of imwatch: a process of its own, and a command of its own. */
export interface Service {
  readonly name: ServiceName;
  readonly description: string;
  /**
   * Reads its settings, then starts it when called.
   *
   * @throws {ConfigError} naming every wrong setting.
   */
  readonly configure: (sources: Sources) => (logger: Logger) => Promise<RunningService>;
  /** What each line of its log says of the process, where there may be several. */
  readonly identity?: (sources: Sources) => Readonly<Record<string, unknown>>;
}

export const serviceNames = ['ingest', 'analytics', 'penalties', 'alerting'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The setting of each service's management port. */
export const managementPorts = {
  ingest: ingestSettings.managementPort,
  analytics: analyticsSettings.managementPort,
  penalties: penaltiesSettings.managementPort,
  alerting: alertingSettings.managementPort,
} as const satisfies Record<ServiceName, unknown>;

export const services: readonly Service[] = [
  {
    name: 'ingest',
    description: 'take callbacks over HTTP and put them on Kafka',
    configure: (sources) => {
      const config = readIngestConfig(sources);
      return (logger) => startIngestService(config, sources, logger);
    },
    identity: (sources) => {
      const worker = workerNumber(sources);
      return worker === undefined ? {} : { worker };
    },
  },
  {
    name: 'analytics',
    description: 'count verdicts by minute, scene, label, suggestion and result',
    configure: (sources) => {
      const config = readAnalyticsConfig(sources);
      return (logger) => startAnalytics(config, logger);
    },
  },
  {
    name: 'penalties',
    description: 'keep strikes and decide about mutes, in shadow: nothing is done to anyone',
    configure: (sources) => {
      const config = readPenaltiesConfig(sources);
      return (logger) => startPenalties(config, logger);
    },
  },
  {
    name: 'alerting',
    description: 'say when many senders at once say what is blocked, and when it is over',
    configure: (sources) => {
      const config = readAlertingConfig(sources);
      return (logger) => startAlerting(config, logger);
    },
  },
];

/** What is wrong with the settings of any service, each problem once. */
export function serviceProblems(sources: Sources): readonly string[] {
  const problems = services.flatMap(({ configure }) => {
    try {
      configure(sources);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems;
    }
  });
  return Array.from(new Set(problems));
}
