import type { Values } from '../../lib/config/read.ts';
import { logSettings } from '../../lib/logger.ts';
import { managementSettings } from '../../lib/management-server.ts';
import { clusterSettings } from '../../schemas/settings.ts';

/** What every consumer service reads, beside its own settings and its management port. */
export const consumerSettings = { ...clusterSettings, ...managementSettings, ...logSettings };

export interface ConsumerConfig extends Values<typeof consumerSettings> {
  readonly managementPort: number;
}
