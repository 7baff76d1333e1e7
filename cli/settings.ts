import { alertingSettings } from '../consumers/alerting/config.ts';
import { analyticsSettings } from '../consumers/analytics/config.ts';
import { penaltiesSettings } from '../consumers/penalties/config.ts';
import { brokerSettings } from '../dev/broker.ts';
import { runningBroker } from '../dev/keeper/lease.ts';
import type { BrokerAddresses } from '../dev/keeper/protocol.ts';
import { ingestSettings } from '../ingest/config.ts';
import { appSettings } from '../lib/config/apps.ts';
import { homeFolder, homeSettings } from '../lib/config/home.ts';
import { readSettings, type SettingsGroup, type Sources, textOf } from '../lib/config/read.ts';
import { processSources, sourceSettings, withRunning } from '../lib/config/sources.ts';
import { kafkaSettings } from '../lib/kafka/settings.ts';
import { logSettings } from '../lib/logger.ts';
import { managementSettings } from '../lib/management-server.ts';
import { tencentApiSettings } from '../lib/tencent-api/settings.ts';
import { schemaSettings } from '../schemas/settings.ts';

/** Every setting of imwatch, in the order in which documents list them. */
export const settingsCatalogue: readonly SettingsGroup[] = [
  { title: 'Apps', settings: { ...appSettings, ...tencentApiSettings } },
  { title: 'Ingest', settings: ingestSettings },
  { title: 'Analytics', settings: analyticsSettings },
  { title: 'Penalties', settings: penaltiesSettings },
  { title: 'Alerting', settings: alertingSettings },
  { title: 'Kafka', settings: kafkaSettings },
  { title: 'Schema registry and topics', settings: schemaSettings },
  { title: 'Every service', settings: { ...managementSettings, ...logSettings } },
  { title: 'This machine', settings: { ...homeSettings, ...brokerSettings, ...sourceSettings } },
];

/** IMWATCH_HOME as an absolute path. */
export function homeOf(sources: Sources): string {
  return homeFolder(readSettings(homeSettings, sources));
}

/** What settings are read from, with the addresses of the broker and registry that run for this home. */
export async function commandSources(): Promise<Sources> {
  const sources = processSources();
  const running = await runningBroker(homeOf(sources));
  return running === undefined ? sources : withBroker(sources, running);
}

/** `sources` with the addresses of a broker and a registry of this machine, unless a Kafka is given. */
export function withBroker(sources: Sources, addresses: BrokerAddresses): Sources {
  if (textOf(sources, kafkaSettings.brokers.name) !== undefined) return sources;
  return withRunning(sources, {
    [kafkaSettings.brokers.name]: addresses.brokers,
    [schemaSettings.registryUrl.name]: addresses.registryUrl,
  });
}
