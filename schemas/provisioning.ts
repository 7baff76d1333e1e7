import type { Admin } from 'kafkajs';
import { createMissingTopics, defaultReplication, type TopicPlan } from '../lib/kafka/topic-admin.ts';
import { recordSchemas } from './records.ts';
import type { SchemaRegistry } from './registry.ts';
import { subjectOf, type TopicId, topicConfig, topicIds, topicName, topics } from './topics.ts';

export interface ProvisioningValues {
  readonly topicPrefix: string;
  readonly partitions: number;
  readonly replication: number | undefined;
}

/** What the topics should be like on the cluster that `admin` is connected to, in the order of `topicIds`. */
export async function topicPlans(admin: Admin, values: ProvisioningValues): Promise<readonly TopicPlan[]> {
  const replication = values.replication ?? (await defaultReplication(admin));
  return topicIds.map((id) => ({
    topic: topicName(values.topicPrefix, id),
    partitions: values.partitions,
    replication,
    takesMoreReplicas: values.replication === undefined,
    config: topicConfig(topics[id], replication),
  }));
}

/** Creates the topics that are missing; returns their names. Idempotent. */
export async function provisionTopics(admin: Admin, values: ProvisioningValues): Promise<readonly string[]> {
  return createMissingTopics(admin, await topicPlans(admin, values));
}

/** The schema id of each topic's record, registered where it is new. Idempotent. */
export async function provisionSchemas(
  registry: SchemaRegistry,
  topicPrefix: string,
): Promise<ReadonlyMap<TopicId, number>> {
  const schemaIds = new Map<TopicId, number>();
  for (const id of topicIds) {
    const { record, compatibility } = topics[id];
    const subject = subjectOf(topicName(topicPrefix, id));
    schemaIds.set(id, await registry.register(subject, recordSchemas[record], compatibility));
  }
  return schemaIds;
}

/** The schema id of each topic's record as it is registered; `undefined` where it is not. */
export async function registeredSchemas(
  registry: SchemaRegistry,
  topicPrefix: string,
): Promise<ReadonlyMap<TopicId, number | undefined>> {
  const schemaIds = new Map<TopicId, number | undefined>();
  for (const id of topicIds) {
    const subject = subjectOf(topicName(topicPrefix, id));
    schemaIds.set(id, await registry.idOf(subject, recordSchemas[topics[id].record]));
  }
  return schemaIds;
}
