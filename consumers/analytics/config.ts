import { readSettings, type Sources, type Values } from '../../lib/config/read.ts';
import { integer } from '../../lib/config/setting.ts';
import { managementPort } from '../../lib/management-server.ts';
import { clusterProblems } from '../../schemas/settings.ts';
import { consumerSettings } from '../runtime/config.ts';

export const analyticsSettings = {
  managementPort: managementPort('ANALYTICS_MANAGEMENT_PORT', 9102),
  emitMs: integer('ANALYTICS_EMIT_MS', {
    help: 'How often the numbers of a window that is still open are written.',
    unit: 'ms',
    default: 5_000,
    min: 200,
    max: 60_000,
  }),
  graceMs: integer('ANALYTICS_GRACE_MS', {
    help: 'How long after its end a window stays open for events that are on their way.',
    unit: 'ms',
    default: 15_000,
    min: 0,
    max: 600_000,
  }),
};

const allSettings = { ...analyticsSettings, ...consumerSettings };

export type AnalyticsConfig = Values<typeof allSettings>;

/** @throws {ConfigError} naming every wrong setting. */
export function readAnalyticsConfig(sources: Sources): AnalyticsConfig {
  return readSettings(allSettings, sources, clusterProblems);
}
