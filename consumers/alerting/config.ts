import { readSettings, type Sources, type Values } from '../../lib/config/read.ts';
import { integer } from '../../lib/config/setting.ts';
import { managementPort } from '../../lib/management-server.ts';
import { clusterProblems } from '../../schemas/settings.ts';
import { consumerSettings } from '../runtime/config.ts';

export const alertingSettings = {
  managementPort: managementPort('ALERTING_MANAGEMENT_PORT', 9104),
  windowMs: integer('ALERTING_WINDOW_MS', {
    help: 'Window in which abusive verdicts of a label are counted; ten windows before it say what is usual.',
    unit: 'ms',
    default: 60_000,
    min: 1_000,
    max: 3_600_000,
  }),
  minVerdicts: integer('ALERTING_MIN_VERDICTS', {
    help: 'An alert needs at least this many verdicts in the window.',
    default: 30,
    min: 1,
    max: 1_000_000,
  }),
  minSenders: integer('ALERTING_MIN_SENDERS', {
    help: 'An alert needs at least this many different senders; one user alone is a matter of penalties.',
    default: 5,
    min: 1,
    max: 1_000_000,
  }),
  minRatio: integer('ALERTING_MIN_RATIO', {
    help: 'An alert needs at least this many times the usual number of verdicts.',
    default: 3,
    min: 1,
    max: 1_000,
  }),
};

const allSettings = { ...alertingSettings, ...consumerSettings };

export type AlertingConfig = Values<typeof allSettings>;

/** @throws {ConfigError} naming every wrong setting. */
export function readAlertingConfig(sources: Sources): AlertingConfig {
  return readSettings(allSettings, sources, clusterProblems);
}
