import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { avroCodec, Changelog } from '../../consumers/runtime/changelog.ts';
import { EventDecoder } from '../../consumers/runtime/decoder.ts';
import { createConsumerMetrics } from '../../consumers/runtime/metrics.ts';
import { restore } from '../../consumers/runtime/partition/restore.ts';
import type { LocalCopy } from '../../consumers/runtime/state/local-copy.ts';
import { systemClock } from '../../lib/clock.ts';
import { readSettings } from '../../lib/config/read.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { IdempotentSink } from '../../lib/kafka/produce/sink.ts';
import { silentLogger } from '../../lib/logger.ts';
import { type Destination, learnDestinations } from '../../schemas/destinations.ts';
import type { Standing } from '../../schemas/generated/events.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { clusterSettings } from '../../schemas/settings.ts';
import { serviceEnvironment } from '../support/pipeline.ts';
import { makeTestFolder } from '../support/test-folder.ts';

type StateTopicId = 'penalty.state' | 'penalties.progress';

const partition = 1;
const horizonMs = 86_400_000;
const { signal } = new AbortController();

/** State topics of their own, what writes to them, and what restores from them. */
async function aPlace() {
  const env = { ...serviceEnvironment(), ...inject('cluster') };
  const values = readSettings(clusterSettings, { env, file: {}, running: {} });
  const kafka = createKafka(values, 'imwatch-test', silentLogger);
  const registry = createSchemaRegistry(values);
  const cluster = new Cluster(clusterOptions(values, 'imwatch-test'));
  const sink = new IdempotentSink(clusterOptions(values, 'imwatch-test'));
  onTestFinished(() => cluster.close());
  onTestFinished(() => sink.disconnect());
  const learn = () => learnDestinations({ kafka, registry, values }, ['penalty.state', 'penalties.progress']);
  const destinations = await learn();
  const placeOf = <N extends 'Standing' | 'SeenEvents'>(id: StateTopicId, record: N) => ({
    destination: destinations.get(id) as Destination,
    decoder: new EventDecoder(record, registry),
    record,
  });
  const changelog = new Changelog(placeOf('penalty.state', 'Standing'), placeOf('penalties.progress', 'SeenEvents'));
  const folder = makeTestFolder();
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_: unknown, text: string) => void warnings.push(text) };
  return {
    folder,
    warnings,
    /** @param where the folder of an instance. */
    restore: (where = folder): Promise<LocalCopy<Standing>> =>
      restore({
        cluster,
        clusterId: 'c',
        changelog,
        codec: avroCodec('Standing'),
        folder: where,
        horizonMs,
        partition,
        metrics: createConsumerMetrics(() => ({
          partitions: { running: 0, claiming: 0, stopped: 0 },
          oldestInFlightMs: 0,
        })),
        clock: systemClock,
        logger: logger as typeof silentLogger,
        signal,
      }),
    /** Writes what a transaction writes that sets `keys` and has taken an event for each, named like it. */
    commit: async (copy: LocalCopy<Standing>, keys: readonly string[]): Promise<void> => {
      for (const key of keys) {
        copy.state.set(key, { strikes: [], mutedUntil: 1 });
        copy.seen.take(key, systemClock.nowMs());
      }
      const change = copy.change();
      await sink.send(changelog.recordsOf(change, partition, systemClock.nowMs()));
      copy.committed(change, new Map(), systemClock.nowMs());
    },
    /** Removes a topic, and makes it again. */
    makeAnew: async (id: StateTopicId): Promise<void> => {
      const { topic = '' } = destinations.get(id) ?? {};
      await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] }));
      await expect.poll(() => withAdmin(kafka, (admin) => admin.listTopics())).not.toContain(topic);
      await learn();
    },
  };
}

function keysOf(copy: LocalCopy<Standing>): readonly string[] {
  return Array.from(copy.state.entries(), ([key]) => key).toSorted();
}

describe('the copy of a partition', () => {
  it('has what its snapshot has, and what was written behind that', async () => {
    const place = await aPlace();
    const first = await place.restore();
    await place.commit(first, ['a', 'b']);
    first[Symbol.dispose]();
    const second = await place.restore();
    expect(keysOf(second)).toEqual(['a', 'b']);
    await place.commit(second, ['c']);
    second[Symbol.dispose]();
    const third = await place.restore();
    expect(keysOf(third)).toEqual(['a', 'b', 'c']);
    expect(['a', 'c', 'd'].map((id) => third.seen.take(id, systemClock.nowMs()))).toEqual([false, false, true]);
    third[Symbol.dispose]();
  });

  it.each([
    ['a filter of ids', 'UPDATE seen_runs SET filter = zeroblob(length(filter))'],
    ['the numbers of chunks', "UPDATE seen_chunks SET kept = replace(kept, '0', '1')"],
  ])('that is damaged in %s is begun anew', async (_what, damage) => {
    const place = await aPlace();
    const first = await place.restore();
    await place.commit(first, ['a', 'b']);
    first[Symbol.dispose]();
    (await place.restore())[Symbol.dispose]();
    const database = new DatabaseSync(join(place.folder, `${partition}.sqlite`));
    database.exec(damage);
    database.close();
    const again = await place.restore();
    expect(place.warnings).toContain('a snapshot is thrown away, its topics have the same');
    expect([keysOf(again), again.seen.take('a', systemClock.nowMs())]).toEqual([['a', 'b'], false]);
    again[Symbol.dispose]();
  });

  it.each(['penalty.state', 'penalties.progress'] as const)(
    'is begun anew when %s was made anew, though that has grown further than the snapshot goes',
    async (id) => {
      const place = await aPlace();
      const first = await place.restore();
      await place.commit(first, ['a']);
      first[Symbol.dispose]();
      (await place.restore())[Symbol.dispose]();
      await place.makeAnew(id);
      // As another instance would, which has no snapshot of before.
      const elsewhere = await place.restore(makeTestFolder());
      for (const key of ['b', 'c', 'd']) await place.commit(elsewhere, [key]);
      elsewhere[Symbol.dispose]();
      const again = await place.restore();
      expect(place.warnings).toContain('a snapshot is thrown away, its topics have the same');
      const isKnown = (name: string): boolean => !again.seen.take(name, systemClock.nowMs());
      expect({ keys: keysOf(again), known: ['a', 'b', 'c', 'd'].filter(isKnown) }).toEqual(
        id === 'penalty.state'
          ? { keys: ['b', 'c', 'd'], known: ['a', 'b', 'c', 'd'] }
          : { keys: ['a', 'b', 'c', 'd'], known: ['b', 'c', 'd'] },
      );
      again[Symbol.dispose]();
    },
  );
});
