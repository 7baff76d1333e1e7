// Verdicts that a core handles in a second from memory: decoding, logic, state, ids and snapshot, with a Kafka that takes each transaction at
// once. What it takes beside this is fetching and committing.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAnalyticsConfig } from '../../consumers/analytics/config.ts';
import { analyticsDefinition } from '../../consumers/analytics/main.ts';
import { readPenaltiesConfig } from '../../consumers/penalties/config.ts';
import { penaltiesDefinition } from '../../consumers/penalties/main.ts';
import { avroCodec, Changelog } from '../../consumers/runtime/changelog.ts';
import { EventDecoder } from '../../consumers/runtime/decoder.ts';
import { type ConsumerDefinition, eventDecoder, type FieldOn } from '../../consumers/runtime/definition.ts';
import { createConsumerMetrics } from '../../consumers/runtime/metrics.ts';
import { OwnedPartition } from '../../consumers/runtime/partition/owned-partition.ts';
import { Refusals } from '../../consumers/runtime/partition/refusals.ts';
import { LocalCopy } from '../../consumers/runtime/state/local-copy.ts';
import { Snapshot } from '../../consumers/runtime/state/snapshot.ts';
import { systemClock } from '../../lib/clock.ts';
import { processSources } from '../../lib/config/sources.ts';
import type { ConsumedRecord } from '../../lib/kafka/consume/record-batch-reader.ts';
import { silentLogger } from '../../lib/logger.ts';
import { RecordEncoder } from '../../schemas/codec.ts';
import type { Destination } from '../../schemas/destinations.ts';
import type { RecordOf } from '../../schemas/generated/events.ts';
import { RecordWriter } from '../../schemas/record-writer.ts';
import { avroType, recordSchemas } from '../../schemas/records.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { type TopicId, topics } from '../../schemas/topics.ts';
import { aVerdict, tell } from './place.ts';

const count = 300_000;
const atOnce = 5_000;
const users = 400_000;
const registry = { writerType: async () => avroType(recordSchemas.ContentVerdict) } as unknown as SchemaRegistry;
const destinations = new Map(
  Object.keys(topics).map((id, index): [TopicId, Destination] => [
    id as TopicId,
    { topic: `im.${id}.v1`, partitions: 1, schemaId: 10 + index },
  ]),
);
const encoder = new RecordEncoder('ContentVerdict', 1);
const records = Array.from(
  { length: count },
  (_, offset): ConsumedRecord => ({
    offset,
    timestampMs: Date.now(),
    key: Buffer.from('key'),
    value: encoder.encode(aVerdict(offset, users)),
  }),
);

const none = async (): Promise<never> => Promise.reject(new Error('nothing is read'));

async function handled<S extends 'analytics.state' | 'penalty.state', F extends FieldOn<'verdict'>>(
  definition: ConsumerDefinition<'verdict', S, F>,
  state: S,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'imwatch-bench-'));
  const stateRecord = topics[state].record;
  const placeOf = <T extends TopicId>(id: T) => ({
    destination: destinations.get(id) as Destination,
    record: topics[id].record,
    decoder: new EventDecoder(topics[id].record, registry),
  });
  const changelog = new Changelog(
    placeOf(state) as ConstructorParameters<typeof Changelog>[0],
    placeOf(definition.progress) as ConstructorParameters<typeof Changelog>[1],
  );
  const of = { clusterId: 'none', topics: changelog.topics, partition: 0 };
  const snapshot = Snapshot.open(join(folder, '0.sqlite'), of, 0, () => undefined);
  const copy = new LocalCopy(snapshot, avroCodec(stateRecord), 86_400_000, Date.now());
  const metrics = createConsumerMetrics(() => ({
    partitions: { running: 0, claiming: 0, stopped: 0 },
    oldestInFlightMs: 0,
  }));
  const signal = new AbortController().signal;
  const create = definition.processors({
    metrics,
    clock: systemClock,
    logger: silentLogger,
    readBack: none,
    readPartition: none,
  })([0]);
  const processor = await create({
    partition: 0,
    state: copy.state as LocalCopy<RecordOf[(typeof topics)[S]['record']]>['state'],
    nextOffset: 0,
    signal,
  });
  const owned = new OwnedPartition({
    service: definition.name,
    topic: 'im.verdict.v1',
    partition: 0,
    member: { groupId: 'g', memberId: 'm', generationId: 1 },
    producer: { commit: async () => new Map() },
    copy,
    changelog,
    processor,
    decoder: eventDecoder(definition, registry),
    writer: new RecordWriter(destinations),
    refusals: new Refusals(),
    nextOffset: 0,
    metrics,
    clock: systemClock,
    time: systemClock,
    logger: silentLogger,
    isOwner: () => true,
    onEnd: (error) => {
      throw error;
    },
    signal,
  });
  const before = process.cpuUsage();
  for (let first = 0; first < count; first += atOnce) {
    const some = records.slice(first, first + atOnce);
    await owned.take({ records: some, nextOffset: first + some.length, highWatermark: count });
  }
  await owned.close();
  const { user, system } = process.cpuUsage(before);
  rmSync(folder, { recursive: true, force: true });
  return count / ((user + system) / 1e6);
}

const sources = processSources();
const analytics = await handled(analyticsDefinition(readAnalyticsConfig(sources)), 'analytics.state');
const penalties = await handled(penaltiesDefinition(readPenaltiesConfig(sources)), 'penalty.state');
tell({ analyticsPerCpuSecond: analytics, penaltiesPerCpuSecond: penalties });
