import type { Kafka } from 'kafkajs';
import { withAdmin } from '../../lib/kafka/admin.ts';
import type { ClusterOptions } from '../../lib/kafka/cluster.ts';
import { readTopics } from '../../lib/kafka/topic-reader.ts';
import { silentLogger } from '../../lib/logger.ts';
import { decodeAs, schemaIdOf } from '../../schemas/codec.ts';
import type { Alert, ContentVerdict, LedgerEntry, Rollup } from '../../schemas/generated/events.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { subjectOf, type TopicId, topicIds, topicName } from '../../schemas/topics.ts';

/** Where the demo's topics are. */
export interface DemoTopics {
  readonly kafka: Kafka;
  readonly cluster: ClusterOptions;
  readonly registry: SchemaRegistry;
  readonly topicPrefix: string;
}

/** What stands on the topics now, whatever the services say of themselves. */
export interface Found {
  /** Records on the verdict topic. */
  readonly verdicts: number;
  readonly distinctVerdicts: number;
  /** Blocked verdicts with different ids, but for what a server sent over the REST API: what strikes are for. */
  readonly distinctBlocked: number;
  /** What the rollups add up to, the latest of each key. */
  readonly counted: number;
  /** Numbers by label, of the same rollups, the largest first. */
  readonly byLabel: readonly (readonly [string, number])[];
  readonly strikes: number;
  readonly distinctStrikes: number;
  readonly decisions: readonly LedgerEntry[];
  readonly alerts: readonly Alert[];
  readonly deadLetters: number;
}

/** Reads all topics of the demo from their begin. */
export async function readFound(topics: DemoTopics): Promise<Found> {
  const [verdicts, rollups, ledger, alerts, deadLetters] = await Promise.all([
    readAll<ContentVerdict>(topics, 'verdict'),
    readAll<Rollup>(topics, 'rollup'),
    readAll<LedgerEntry>(topics, 'penalty.ledger'),
    readAll<Alert>(topics, 'alert'),
    readAll<unknown>(topics, 'dead-letter'),
  ]);
  const latest = Array.from(new Map(rollups.map(({ key, value }) => [key, value])).values());
  const byLabel = new Map<string, number>();
  for (const { label, verdicts: count } of latest) byLabel.set(label ?? '-', (byLabel.get(label ?? '-') ?? 0) + count);
  const blocked = verdicts.filter(({ value }) => value.result === 'BLOCKED' && value.isRestApi !== true);
  const strikes = ledger.filter(({ value }) => value.kind === 'STRIKE');
  return {
    verdicts: verdicts.length,
    distinctVerdicts: distinct(verdicts.map(({ value }) => value.eventId)),
    distinctBlocked: distinct(blocked.map(({ value }) => value.eventId)),
    counted: latest.reduce((sum, { verdicts: count }) => sum + count, 0),
    byLabel: Array.from(byLabel).toSorted(([, a], [, b]) => b - a),
    strikes: strikes.length,
    distinctStrikes: distinct(strikes.map(({ value }) => value.entryId)),
    decisions: ledger.flatMap(({ value }) => (value.kind === 'DECISION' ? [value] : [])),
    alerts: alerts.map(({ value }) => value),
    deadLetters: deadLetters.length,
  };
}

/** Removes the topics, their schemas' subjects and the consumer groups of the demo. */
export async function removeTopics({ kafka, registry, topicPrefix }: DemoTopics): Promise<void> {
  const names = topicIds.map((id) => topicName(topicPrefix, id));
  await withAdmin(kafka, async (admin) => {
    const { groups } = await admin.listGroups();
    const ours = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(`${topicPrefix}.`));
    if (ours.length > 0) await admin.deleteGroups(ours);
    const present = await admin.listTopics();
    await admin.deleteTopics({ topics: names.filter((name) => present.includes(name)) });
  });
  for (const name of names) await registry.remove(subjectOf(name));
}

interface KeyedValue<T> {
  readonly key: string;
  readonly value: T;
}

async function readAll<T>(
  { cluster, registry, topicPrefix }: DemoTopics,
  id: TopicId,
): Promise<readonly KeyedValue<T>[]> {
  const found: KeyedValue<T>[] = [];
  await readTopics({
    cluster,
    logger: silentLogger,
    topics: [topicName(topicPrefix, id)],
    start: 'beginning',
    follow: false,
    signal: new AbortController().signal,
    onCaughtUp: () => undefined,
    onRecord: async ({ key, value }) => {
      if (value === null) return;
      const writer = await registry.writerType(schemaIdOf(value) ?? 0);
      found.push({ key: key?.toString() ?? '', value: decodeAs(writer, value) as T });
    },
  });
  return found;
}

function distinct(ids: readonly string[]): number {
  return new Set(ids).size;
}
