import { setTimeout as pause } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicMetadata } from 'kafkajs';
import { UserError } from '../errors.ts';
import { KafkaRequestError } from './admin.ts';

// Node finds only some of kafkajs's exports by name.
const { ConfigResourceTypes } = kafkajs;

/** What a topic should be like. */
export interface TopicPlan {
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  /** Whether more replicas are as good; true where nobody asked for a number. */
  readonly takesMoreReplicas: boolean;
  /** Topic settings as the broker spells them. */
  readonly config: Readonly<Record<string, string>>;
}

/** What a topic is like; of its settings those that were asked for. */
export interface TopicState {
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  readonly config: Readonly<Record<string, string>>;
}

/**
 * Replicas for new topics: 3 where there are enough brokers to lose one and still have two copies, 1 on a single broker.
 *
 * @throws {UserError} with two brokers, where either number is a choice between losing data and refusing it.
 */
export async function defaultReplication(admin: Admin): Promise<number> {
  const { brokers } = await admin.describeCluster();
  if (brokers.length === 2) {
    throw new UserError('The cluster has two brokers: set IMWATCH_REPLICATION to 1 or 2, no default is right for it');
  }
  return brokers.length >= 3 ? 3 : 1;
}

/** The copies of a record that have to exist before it is acknowledged: all but one of three, else one. */
export function minInsyncReplicas(replication: number): number {
  return replication >= 3 ? 2 : 1;
}

const knownWithinMs = 30_000;
const knownPauseMs = 100;

/**
 * Creates the topics of `plans` that do not exist, waits until the brokers know them, and leaves the others alone. Returns the names of
 * those created.
 *
 * @throws {KafkaRequestError} when they are not known within 30 seconds.
 */
export async function createMissingTopics(admin: Admin, plans: readonly TopicPlan[]): Promise<readonly string[]> {
  const present = new Set(await admin.listTopics());
  const missing = plans.filter((plan) => !present.has(plan.topic));
  if (missing.length === 0) return [];
  await admin.createTopics({
    waitForLeaders: false,
    topics: missing.map(({ topic, partitions, replication, config }) => ({
      topic,
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
    })),
  });
  const created = missing.map((plan) => plan.topic);
  await untilKnown(admin, created);
  return created;
}

/** The controller answers before the brokers have heard of a new topic; kafkajs's own wait takes one that has not for a failure. */
async function untilKnown(admin: Admin, topics: readonly string[]): Promise<void> {
  const untilMs = performance.now() + knownWithinMs;
  for (;;) {
    const known = new Set(await admin.listTopics());
    const unknown = topics.filter((topic) => !known.has(topic));
    if (unknown.length === 0) return;
    if (performance.now() >= untilMs) {
      throw new KafkaRequestError(
        `Kafka: ${unknown.join(', ')} created, but not known to the brokers after ${knownWithinMs / 1_000} s`,
      );
    }
    await pause(knownPauseMs);
  }
}

/** The state of each of `plans`' topics, `undefined` for one that does not exist. */
export async function readTopics(
  admin: Admin,
  plans: readonly TopicPlan[],
): Promise<ReadonlyMap<string, TopicState | undefined>> {
  const listed = new Set(await admin.listTopics());
  const present = plans.filter((plan) => listed.has(plan.topic));
  const states = new Map<string, TopicState | undefined>(plans.map((plan) => [plan.topic, undefined]));
  if (present.length === 0) return states;
  const { topics } = await admin.fetchTopicMetadata({ topics: present.map((plan) => plan.topic) });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: present.map((plan) => ({
      type: ConfigResourceTypes.TOPIC,
      name: plan.topic,
      configNames: Object.keys(plan.config),
    })),
  });
  for (const metadata of topics) {
    const entries = resources.find((resource) => resource.resourceName === metadata.name)?.configEntries ?? [];
    const config = Object.fromEntries(entries.map((entry) => [entry.configName, entry.configValue]));
    states.set(metadata.name, {
      topic: metadata.name,
      partitions: metadata.partitions.length,
      replication: replicationOf(metadata),
      config,
    });
  }
  return states;
}

function replicationOf(metadata: ITopicMetadata): number {
  return Math.min(...metadata.partitions.map((partition) => partition.replicas.length));
}

/** Where `state` is not as `plan` wants it, a line each: "retention.ms is 1, expected 2". */
export function differences(plan: TopicPlan, state: TopicState): readonly string[] {
  const lines: string[] = [];
  const compare = (what: string, is: string | number | undefined, expected: string | number): void => {
    if (String(is) !== String(expected)) lines.push(`${what} is ${is ?? 'not set'}, expected ${expected}`);
  };
  compare('partitions', state.partitions, plan.partitions);
  const moreReplicas = plan.takesMoreReplicas && state.replication > plan.replication;
  const replication = moreReplicas ? state.replication : plan.replication;
  compare('replication', state.replication, replication);
  const config = { ...plan.config, 'min.insync.replicas': minInsyncReplicas(replication) };
  for (const [name, value] of Object.entries(config)) compare(name, state.config[name], value);
  return lines;
}

/** Number of partitions of each topic. @throws when one does not exist. */
export async function partitionCounts(admin: Admin, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const metadata = await admin.fetchTopicMetadata({ topics: [...topics] });
  return new Map(metadata.topics.map((topic) => [topic.name, topic.partitions.length]));
}
