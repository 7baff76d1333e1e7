import { readSettings, type Sources, type Values } from '../../lib/config/read.ts';
import { integer, list } from '../../lib/config/setting.ts';
import { managementPort } from '../../lib/management-server.ts';
import { clusterProblems } from '../../schemas/settings.ts';
import { consumerSettings } from '../runtime/config.ts';

const dayMs = 24 * 60 * 60_000;

export const penaltiesSettings = {
  managementPort: managementPort('PENALTIES_MANAGEMENT_PORT', 9103),
  muteAtStrikes: integer('PENALTIES_MUTE_AT_STRIKES', {
    help: 'Strikes within PENALTIES_STRIKE_WINDOW_MS at which a user is muted.',
    default: 3,
    min: 1,
    max: 1_000,
  }),
  strikeWindowMs: integer('PENALTIES_STRIKE_WINDOW_MS', {
    help: 'How long a strike counts.',
    unit: 'ms',
    default: dayMs,
    min: 1_000,
    max: 90 * dayMs,
  }),
  muteMs: integer('PENALTIES_MUTE_MS', {
    help: 'How long a mute lasts; while it does, no other is decided.',
    unit: 'ms',
    default: 60 * 60_000,
    min: 1_000,
    max: 90 * dayMs,
  }),
  exemptAccounts: list('PENALTIES_EXEMPT_ACCOUNTS', {
    help: 'Accounts that never get a strike, separated by commas: administrators, bots.',
    item: /^[^,]+$/,
    expected: 'accounts, separated by commas',
  }),
};

const allSettings = { ...penaltiesSettings, ...consumerSettings };

export type PenaltiesConfig = Values<typeof allSettings>;

/** @throws {ConfigError} naming every wrong setting. */
export function readPenaltiesConfig(sources: Sources): PenaltiesConfig {
  return readSettings(allSettings, sources, clusterProblems);
}
