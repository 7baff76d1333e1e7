import { setTimeout as pause } from 'node:timers/promises';
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

/** What every topic and subject of the benchmark begins with; they are removed at its end. */
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

/** What the benchmark does on the cluster itself; what is left of earlier runs is removed at once, what this one makes at the end. */
export async function connectAdmin(addresses: ClusterAddresses, resources: AsyncDisposableStack): Promise<Admin> {
  const values = readSettings(kafkaSettings, { env: addresses, file: {}, running: {} });
  const admin = createKafka(values, 'imwatch-bench', silentLogger).admin();
  await admin.connect();
  resources.defer(() => admin.disconnect());
  const clear = async (): Promise<void> => {
    await removeTopics(admin);
    await removeSubjects(addresses.SCHEMA_REGISTRY_URL);
  };
  await clear();
  resources.defer(clear);
  return admin;
}

const partitions = 12;

/** Makes a topic as ingest makes its own, and waits until it can be written to. */
export async function createTopic(admin: Admin, topic: string): Promise<void> {
  const request = { topic, numPartitions: partitions, replicationFactor: -1 };
  await admin.createTopics({ topics: [request], waitForLeaders: false });
  await until(`topic ${topic} has leaders`, async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const found = topics.flatMap((each) => each.partitions);
    return found.length === partitions && found.every(({ leader }) => leader >= 0);
  });
}

async function removeTopics(admin: Admin): Promise<void> {
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(topicPrefix));
  if (topics.length === 0) return;
  await admin.deleteTopics({ topics });
  await until('the topics are removed', async () => {
    const left = await admin.listTopics();
    return !left.some((topic) => topics.includes(topic));
  });
}

async function removeSubjects(registryUrl: string): Promise<void> {
  const subjects = (await (await fetch(`${registryUrl}/subjects`)).json()) as readonly string[];
  for (const subject of subjects.filter((each) => each.startsWith(topicPrefix))) {
    // First as if it could come back, then for good: a registry wants both.
    for (const query of ['', '?permanent=true']) {
      const answer = await fetch(`${registryUrl}/subjects/${encodeURIComponent(subject)}${query}`, {
        method: 'DELETE',
      });
      await answer.body?.cancel();
    }
  }
}

const timeoutMs = 20_000;
const pollMs = 100;

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  // A broker that has not heard of a topic yet refuses to speak of it.
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadlineMs) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}`);
    await pause(pollMs);
  }
}
