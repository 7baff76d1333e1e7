import type { Kafka } from 'kafkajs';
import { AppError } from '../lib/errors.ts';
import { withAdmin } from '../lib/kafka/admin.ts';
import { partitionCounts } from '../lib/kafka/topic-admin.ts';
import { type ProvisioningValues, provisionSchemas, provisionTopics, registeredSchemas } from './provisioning.ts';
import type { SchemaRegistry } from './registry.ts';
import { type TopicId, topicName } from './topics.ts';

/** A topic or schema that has to be there is not, and this service may not create it. */
export class NotProvisionedError extends AppError {
  override readonly name = 'NotProvisionedError';
  readonly code = 'TOPICS_NOT_PROVISIONED';
  readonly retryable = true;
}

/** What is known of one topic once broker and registry have answered. */
export interface Destination {
  readonly topic: string;
  readonly partitions: number;
  readonly schemaId: number;
}

export interface Cluster {
  readonly kafka: Kafka;
  readonly registry: SchemaRegistry;
  readonly values: ProvisioningValues & { readonly createTopics: boolean };
}

/**
 * Learns from broker and registry what a service must know of the topics of `ids`. Where it may, it first creates every topic
 * that is missing and registers every schema.
 *
 * @throws {NotProvisionedError} when something is missing that may not be created.
 * @throws {KafkaRequestError | RegistryUnavailableError | SchemaRefusedError}
 */
export async function learnDestinations<I extends TopicId>(
  { kafka, registry, values }: Cluster,
  ids: readonly I[],
): Promise<ReadonlyMap<I, Destination>> {
  return withAdmin(kafka, async (admin) => {
    if (values.createTopics) await provisionTopics(admin, values);
    const present = new Set(await admin.listTopics());
    const names = ids.map((id) => topicName(values.topicPrefix, id));
    const missing = names.filter((name) => !present.has(name));
    if (missing.length > 0) {
      throw new NotProvisionedError(`No topic ${missing.join(', ')}; run \`imwatch topics create\``);
    }
    const counts = await partitionCounts(admin, names);
    const schemaIds = values.createTopics
      ? await provisionSchemas(registry, values.topicPrefix)
      : await registeredSchemas(registry, values.topicPrefix);
    return new Map(ids.map((id) => [id, destination(id, values.topicPrefix, counts, schemaIds)]));
  });
}

/** @throws {NotProvisionedError} when two topics differ in the number of partitions, so that a key is on different ones. */
export function requireCopartitioned(one: Destination, other: Destination): void {
  if (one.partitions === other.partitions) return;
  throw new NotProvisionedError(
    `${other.topic} has ${other.partitions} partitions and ${one.topic} ${one.partitions}, expected as many: what stands on the one is looked for on the same partition of the other`,
  );
}

function destination(
  id: TopicId,
  prefix: string,
  counts: ReadonlyMap<string, number>,
  schemaIds: ReadonlyMap<TopicId, number | undefined>,
): Destination {
  const topic = topicName(prefix, id);
  const schemaId = schemaIds.get(id);
  if (schemaId === undefined) {
    throw new NotProvisionedError(`The schema of ${topic} is not registered; run \`imwatch topics create\``);
  }
  return { topic, partitions: counts.get(topic) ?? 0, schemaId };
}
