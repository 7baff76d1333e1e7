import type { Admin } from 'kafkajs';
import { acquireBroker, brokerSettings } from '../../dev/broker.ts';
import { homeFolder, homeSettings } from '../../lib/config/home.ts';
import { readSettings, type Sources, textOf } from '../../lib/config/read.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';
import { say } from './say.ts';

/** Settings that name broker and registry. */
export type ClusterAddresses = Readonly<Record<'KAFKA_BROKERS' | 'SCHEMA_REGISTRY_URL', string>>;

/** What every topic of the benchmark begins with; they are removed at its end. */
export const topicPrefix = 'imwatch-bench-';

/** Broker and registry that the servers write to: those of the settings, else those of this machine, until `resources` are let go. */
export async function clusterOf(sources: Sources, resources: AsyncDisposableStack): Promise<ClusterAddresses> {
  const given = textOf(sources, 'KAFKA_BROKERS')?.text;
  if (given !== undefined) {
    return { KAFKA_BROKERS: given, SCHEMA_REGISTRY_URL: textOf(sources, 'SCHEMA_REGISTRY_URL')?.text ?? '' };
  }
  const home = homeFolder(readSettings(homeSettings, sources));
  const { broker: kind } = readSettings(brokerSettings, sources);
  const { signal } = new AbortController();
  const lease = await acquireBroker({ home, kind, env: sources.env, onProgress: say, signal });
  resources.defer(() => lease.release());
  return { KAFKA_BROKERS: lease.brokers, SCHEMA_REGISTRY_URL: lease.registryUrl };
}

/** What the benchmark does on the cluster itself; the topics of earlier runs are removed at once, those of this one at the end. */
export async function connectAdmin(addresses: ClusterAddresses, resources: AsyncDisposableStack): Promise<Admin> {
  const values = readSettings(kafkaSettings, { env: addresses, file: {}, running: {} });
  const admin = createKafka(values, 'imwatch-bench', silentLogger).admin();
  await admin.connect();
  resources.defer(() => admin.disconnect());
  await removeTopics(admin);
  resources.defer(() => removeTopics(admin));
  return admin;
}

async function removeTopics(admin: Admin): Promise<void> {
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(topicPrefix));
  if (topics.length > 0) await admin.deleteTopics({ topics });
}
