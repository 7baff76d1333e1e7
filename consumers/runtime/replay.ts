import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Registry } from 'prom-client';
import { systemClock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { committedOffsets, offsetRange, offsetSince } from '../../lib/kafka/consume/partition-offsets.ts';
import { readRange } from '../../lib/kafka/consume/read-range.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { partitionCounts } from '../../lib/kafka/topic-admin.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { RecordOf } from '../../schemas/generated/events.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { type TopicId, topicName, topics } from '../../schemas/topics.ts';
import { avroCodec } from './changelog.ts';
import { type ConsumerConfig, groupIdOf } from './config.ts';
import { EventDecoder } from './decoder.ts';
import { type ConsumerDefinition, type EventTopicId, eventDecoder, type FieldOn, type RecordOn } from './definition.ts';
import { createHistory } from './history.ts';
import { LocalCopy } from './state/local-copy.ts';
import { Snapshot } from './state/snapshot.ts';

export interface ReplayOptions<I extends EventTopicId, S extends TopicId, F extends FieldOn<I>> {
  readonly definition: ConsumerDefinition<I, S, F>;
  readonly config: ConsumerConfig;
  /** Events of before are left out; epoch milliseconds. */
  readonly sinceMs?: number;
  /** The only partition to look at; all when left out. */
  readonly partition?: number;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** A key whose value is not what the events lead to. */
export interface Difference {
  readonly key: string;
  /** What stands on the state topic; `undefined` for nothing. */
  readonly live: unknown;
  /** What the events lead to. */
  readonly replayed: unknown;
}

export interface PartitionReplay {
  readonly partition: number;
  /** Range of the input that was handled again: from the first offset to the one behind the last. */
  readonly from: number;
  readonly to: number;
  readonly events: number;
  readonly keys: number;
  readonly differences: readonly Difference[];
}

/** How often a partition that moves on is looked at, until its state and its offset belong together. */
const attempts = 20;
const eventsAtOnce = 5_000;

/**
 * Handles the events of a consumer again, in a place of its own, up to where its group has come, and compares the state that they lead
 * to with the one that stands on its topic. Writes nothing to Kafka. What depends on when events were handled is left out.
 *
 * @throws {UserError} for a consumer without state, or one that does not stand still for long enough.
 */
export async function replay<I extends EventTopicId, S extends TopicId, F extends FieldOn<I>>(
  options: ReplayOptions<I, S, F>,
): Promise<readonly PartitionReplay[]> {
  const { definition, config, partition, onProgress } = options;
  const { name, input, state } = definition;
  if (state === undefined) throw new UserError(`${name} keeps no state, there is nothing to compare`);
  const kafka = createKafka(config, 'imwatch-replay', silentLogger);
  const topic = topicName(config.topicPrefix, input);
  const count = (await withAdmin(kafka, (admin) => partitionCounts(admin, [topic]))).get(topic) ?? 0;
  if (partition !== undefined && partition >= count) {
    throw new UserError(`${topic} has no partition ${partition}, expected 0 to ${count - 1}`);
  }
  const cluster = new Cluster(clusterOptions(config, 'imwatch-replay'));
  const folder = mkdtempSync(join(tmpdir(), 'imwatch-replay-'));
  try {
    const partitions = partition === undefined ? Array.from({ length: count }, (_, number) => number) : [partition];
    const found: PartitionReplay[] = [];
    for (const each of partitions) {
      onProgress(`partition ${each} (${found.length + 1} of ${partitions.length})`);
      found.push(await replayPartition({ ...options, state, cluster, folder }, each));
    }
    return found;
  } finally {
    await cluster.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface PartitionOptions<I extends EventTopicId, S extends TopicId, F extends FieldOn<I>>
  extends ReplayOptions<I, S, F> {
  readonly state: S;
  readonly cluster: Cluster;
  readonly folder: string;
}

async function replayPartition<I extends EventTopicId, S extends TopicId, F extends FieldOn<I>>(
  options: PartitionOptions<I, S, F>,
  partition: number,
): Promise<PartitionReplay> {
  const { definition, config, cluster, sinceMs, signal, state, folder } = options;
  const place = { topic: topicName(config.topicPrefix, definition.input), partition };
  const { live, to } = await liveState(options, partition);
  const { begin } = await offsetRange(cluster, place, signal);
  const since = sinceMs === undefined ? begin : await offsetSince({ cluster, ...place, sinceMs, signal });
  const from = Math.min(to, since ?? to);

  const codec = avroCodec(topics[state].record as RecordOn<S>);
  const of = { clusterId: '', topics: [], partition };
  const snapshot = Snapshot.open(join(folder, `${partition}.sqlite`), of, 0, () => undefined);
  using copy = new LocalCopy(snapshot, codec, config.dedupHorizonMs, systemClock.nowMs());
  const registry = createSchemaRegistry(config);
  const decoderOf = <T extends TopicId>(id: T) => new EventDecoder(topics[id].record as RecordOn<T>, registry);
  const clock = systemClock;
  const history = createHistory({
    options: clusterOptions(config, 'imwatch-replay'),
    cluster,
    logger: silentLogger,
    prefix: config.topicPrefix,
    decoderOf,
    clock,
    stopping: signal,
  });
  const context = { ...history, metrics: { registry: new Registry() }, clock, logger: silentLogger };
  const create = definition.processors(context)([partition]);
  const processor = await create({ partition, state: copy.state, nextOffset: from, signal });
  const decoder = eventDecoder(definition, registry);
  let events = 0;
  let newestMs = 0;
  const commit = (): void => copy.committed(copy.change(), new Map(), clock.nowMs());
  await readRange({
    ...place,
    cluster,
    from,
    end: to,
    clock,
    signal,
    onRecords: async (records) => {
      for (const { value: bytes, offset } of records) {
        const decoded = decoder.decodeKnown(bytes) ?? (await decoder.decode(bytes));
        if ('problem' in decoded) continue;
        const { eventId, receivedAt } = decoded.value;
        newestMs = Math.max(newestMs, receivedAt);
        if (!copy.seen.take(eventId, receivedAt)) continue;
        processor.take({ value: decoded.value, offset });
        events += 1;
        if (events % eventsAtOnce === 0) commit();
      }
      commit();
    },
  });
  const replayed = new Map(copy.state.entries());
  const keys = new Set([...live.keys(), ...replayed.keys()]);
  return { partition, from, to, events, keys: keys.size, differences: differences(options, live, replayed, newestMs) };
}

/** What stands on the state topic, and the offset of the input that it belongs to. */
async function liveState<I extends EventTopicId, S extends TopicId, F extends FieldOn<I>>(
  { definition, config, state, cluster, signal }: PartitionOptions<I, S, F>,
  partition: number,
): Promise<{ readonly live: ReadonlyMap<string, RecordOf[RecordOn<S>]>; readonly to: number }> {
  const coordinators = new Coordinators(cluster);
  const input = topicName(config.topicPrefix, definition.input);
  const groupId = groupIdOf(config, definition.name);
  const committed = async (): Promise<number> => {
    const offsets = await committedOffsets({ coordinators, groupId, topic: input, partitions: [partition], signal });
    return offsets.get(partition) ?? 0;
  };
  const decoder = new EventDecoder(topics[state].record as RecordOn<S>, createSchemaRegistry(config));
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const before = await committed();
    const place = { topic: topicName(config.topicPrefix, state), partition };
    const { begin, stableEnd } = await offsetRange(cluster, place, signal);
    const live = new Map<string, RecordOf[RecordOn<S>]>();
    await readRange({
      ...place,
      cluster,
      from: begin,
      end: stableEnd,
      clock: systemClock,
      signal,
      onRecords: async (records) => {
        for (const { key, value } of records) {
          if (value === null) live.delete(String(key));
          else {
            const decoded = await decoder.decode(value);
            if ('problem' in decoded) throw new UserError(`${place.topic}: ${decoded.problem}`);
            live.set(String(key), decoded.value);
          }
        }
      },
    });
    if ((await committed()) === before) return { live, to: before };
  }
  throw new UserError(
    `partition ${partition} moves on faster than its state is read: compare one that is quieter, or stop ${definition.name} meanwhile`,
  );
}

function differences<I extends EventTopicId, S extends TopicId, F extends FieldOn<I>>(
  { definition }: ReplayOptions<I, S, F>,
  live: ReadonlyMap<string, RecordOf[RecordOn<S>]>,
  replayed: ReadonlyMap<string, RecordOf[RecordOn<S>]>,
  newestMs: number,
): readonly Difference[] {
  const { comparable = (value: unknown) => value } = definition;
  const of = (value: RecordOf[RecordOn<S>] | undefined): unknown => {
    return value === undefined ? undefined : plain(comparable(value, newestMs));
  };
  return [...new Set([...live.keys(), ...replayed.keys()])].flatMap((key) => {
    const [there, expected] = [of(live.get(key)), of(replayed.get(key))];
    return isDeepStrictEqual(there, expected) ? [] : [{ key, live: there, replayed: expected }];
  });
}

/** A value as JSON has it: decoded ones are of classes of their own. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
