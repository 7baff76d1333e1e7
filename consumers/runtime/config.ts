import { join, resolve } from 'node:path';
import { homeFolder, homeSettings } from '../../lib/config/home.ts';
import type { Values } from '../../lib/config/read.ts';
import { integer, text } from '../../lib/config/setting.ts';
import { logSettings } from '../../lib/logger.ts';
import { managementSettings } from '../../lib/management-server.ts';
import { clusterSettings } from '../../schemas/settings.ts';

const hourMs = 60 * 60_000;

/** What every consumer service reads, beside its own settings and its management port. */
export const consumerSettings = {
  stateDir: text('CONSUMER_STATE_DIR', {
    help: 'Folder for local copies of what consumers know. They only save time at a start: what stands in them is on Kafka.',
    defaultText: 'state in IMWATCH_HOME',
  }),
  dedupHorizonMs: integer('DEDUP_HORIZON_MS', {
    help: 'How long an event is known by its eventId, so that a repeat of it is not handled again.',
    unit: 'ms',
    default: 24 * hourMs,
    min: 60_000,
    max: 7 * 24 * hourMs,
  }),
  ...clusterSettings,
  ...managementSettings,
  ...logSettings,
  ...homeSettings,
};

export interface ConsumerConfig extends Values<typeof consumerSettings> {
  readonly managementPort: number;
}

/** Absolute path of the local copies of all services. */
export function stateRoot(config: Pick<ConsumerConfig, 'stateDir' | 'home'>): string {
  return config.stateDir === undefined ? join(homeFolder(config), 'state') : resolve(config.stateDir);
}

/** The group of a service, which is also the beginning of its transactional ids. */
export function groupIdOf({ topicPrefix }: Pick<ConsumerConfig, 'topicPrefix'>, name: string): string {
  return `${topicPrefix}.${name}`;
}
