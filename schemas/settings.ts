import { flag, httpUrl, integer, readableFile, text } from '../lib/config/setting.ts';
import { type KafkaValues, kafkaProblems, kafkaSettings } from '../lib/kafka/settings.ts';

export const schemaSettings = {
  registryUrl: httpUrl('SCHEMA_REGISTRY_URL', {
    help: 'Schema registry with the Confluent API; the address may have a path (Apicurio: /apis/ccompat/v7). Not set: the registry that `imwatch up` runs on this machine.',
  }),
  registryUsername: text('SCHEMA_REGISTRY_USERNAME', { help: 'User name for the registry (basic authentication).' }),
  registryPassword: text('SCHEMA_REGISTRY_PASSWORD', { help: 'Password for the registry.', secret: true }),
  registrySslCa: readableFile('SCHEMA_REGISTRY_SSL_CA', {
    help: 'File with the certificates (PEM) that the registry is trusted by.',
  }),
  topicPrefix: text('IMWATCH_TOPIC_PREFIX', {
    help: 'First part of every topic name.',
    default: 'im',
    shape: { pattern: /^[a-zA-Z0-9._-]{1,100}$/, expected: 'letters, digits, ".", "_" and "-"' },
  }),
  partitions: integer('IMWATCH_PARTITIONS', {
    help: 'Partitions of a topic when imwatch creates it. Keys keep their order only while this stays.',
    default: 12,
    min: 1,
    max: 1_000,
  }),
  replication: integer('IMWATCH_REPLICATION', {
    help: 'Replicas of a topic when imwatch creates it.',
    defaultText: '3 on clusters of three brokers and more, 1 on a single broker; with two brokers it has to be said',
    min: 1,
    max: 10,
  }),
  createTopics: flag('IMWATCH_CREATE_TOPICS', {
    help: 'Services create missing topics and register schemas when they start; false where `imwatch topics create` is run by hand.',
    default: true,
  }),
};

export interface RegistryValues {
  readonly registryUrl: string | undefined;
  readonly registryUsername: string | undefined;
  readonly registryPassword: string | undefined;
  readonly registrySslCa: string | undefined;
}

/** What is wrong with the registry settings taken together, a sentence each. */
function registryProblems(values: RegistryValues): string[] {
  const problems: string[] = [];
  if (values.registryUrl === undefined) {
    problems.push(
      'SCHEMA_REGISTRY_URL is not set and no registry of `imwatch up` runs here, expected an http(s) address (or start `npx imwatch up` first)',
    );
  }
  if ((values.registryUsername === undefined) !== (values.registryPassword === undefined)) {
    problems.push('SCHEMA_REGISTRY_USERNAME and SCHEMA_REGISTRY_PASSWORD go together, expected both or neither');
  }
  return problems;
}

/** Settings of whoever talks to the cluster: Kafka and its schema registry. */
export const clusterSettings = { ...kafkaSettings, ...schemaSettings };

/** What is wrong with the cluster's settings taken together, a sentence each. */
export function clusterProblems(values: KafkaValues & RegistryValues): string[] {
  return [...kafkaProblems(values), ...registryProblems(values)];
}
