import { randomBytes } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { sleep, systemClock } from '../../lib/clock.ts';
import { readSettings } from '../../lib/config/read.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { type FetchedBatch, Fetcher } from '../../lib/kafka/consume/fetcher.ts';
import { offsetRange } from '../../lib/kafka/consume/partition-offsets.ts';
import { readRange } from '../../lib/kafka/consume/read-range.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { IdempotentSink } from '../../lib/kafka/produce/sink.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { readTopics, type Start } from '../../lib/kafka/topic-reader.ts';
import { TransactionalProducer } from '../../lib/kafka/transact/transactional-producer.ts';
import { silentLogger } from '../../lib/logger.ts';

const values = () => readSettings(kafkaSettings, { env: inject('cluster'), file: {}, running: {} });
const options = () => clusterOptions(values(), 'imwatch-test');
const kafka = () => createKafka(values(), 'imwatch-test', silentLogger);
const { signal } = new AbortController();

let sink: IdempotentSink;
beforeAll(async () => {
  sink = new IdempotentSink(options());
  await sink.connect();
  return () => sink.disconnect();
});

let topic: string;
beforeEach(async () => {
  topic = `consume-${randomBytes(4).toString('hex')}`;
  await withAdmin(kafka(), (admin) =>
    admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 2, replicationFactor: 1 }] }),
  );
});

function record(value: string, partition = 0, timestampMs = Date.now()) {
  return { topic, partition, key: Buffer.from('k'), value: Buffer.from(value), timestampMs };
}

function aCluster(): Cluster {
  const cluster = new Cluster(options());
  onTestFinished(() => cluster.close());
  return cluster;
}

/** Removes the records of partition 0 before an offset. */
async function removeBefore(offset: number): Promise<void> {
  await withAdmin(kafka(), async (admin) => {
    // Kafkajs must have heard of the topic.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  });
}

/** Writes each list in a transaction of its own; one that ends with "abort" is aborted. */
async function transact(...transactions: readonly (readonly string[])[]): Promise<void> {
  const cluster = aCluster();
  const connection = { cluster, coordinators: new Coordinators(cluster) };
  const options = { ...connection, transactionalId: topic, places: [{ topic, partition: 0 }], clock: systemClock };
  const producer = new TransactionalProducer(options);
  await producer.initialise(signal);
  const member = { groupId: topic, memberId: 'nobody', generationId: 7 };
  for (const each of transactions) {
    const isAborted = each.at(-1) === 'abort';
    const records = (isAborted ? each.slice(0, -1) : each).map((value) => record(value));
    // Nobody is no member, so that a commit of offsets ends it.
    const offsets = isAborted ? [{ topic, partition: 0, offset: 1 }] : [];
    await producer.commit({ records, offsets, member }, signal).catch((error: unknown) => {
      if (!isAborted) throw error;
    });
  }
  // The marks that end a transaction are written behind the answer: taking the id again waits for them.
  await new TransactionalProducer(options).initialise(signal);
}

async function range(from = 0): Promise<readonly string[]> {
  const cluster = aCluster();
  const { stableEnd: end } = await offsetRange(cluster, { topic, partition: 0 }, signal);
  const found: string[] = [];
  await readRange({
    cluster,
    topic,
    partition: 0,
    from,
    end,
    clock: systemClock,
    signal,
    onRecords: (records) => void found.push(...records.map(({ offset, value }) => `${offset} ${value}`)),
  });
  return found;
}

async function readAll(start: Start): Promise<readonly string[]> {
  const found: string[] = [];
  await readTopics({
    cluster: options(),
    logger: silentLogger,
    topics: [topic],
    start,
    follow: false,
    signal,
    onCaughtUp: () => undefined,
    onRecord: ({ value }) => void found.push(String(value)),
  });
  return found;
}

describe('a range', () => {
  it('is read to its stable end, without what was aborted, and ends on marks', async () => {
    await transact(['a', 'b'], ['x', 'abort'], ['c'], ['y', 'abort']);
    expect(await range()).toEqual(['0 a', '1 b', '5 c']);
    expect(await range(1)).toEqual(['1 b', '5 c']);
  });

  it('that is empty, or of marks alone, is read at once', async () => {
    expect(await range()).toEqual([]);
    await transact(['x', 'abort']);
    expect(await range()).toEqual([]);
  });

  it('of more than a request takes is read in order', async () => {
    const numbers = Array.from({ length: 3_000 }, (_, number) => `${number}`.padEnd(1_000));
    for (let begin = 0; begin < 3_000; begin += 500) {
      await sink.send(numbers.slice(begin, begin + 500).map((each) => record(each)));
    }
    expect((await range()).map((each) => Number(each.split(' ')[1]))).toEqual(numbers.map(Number));
  });

  it('that has been removed says so', async () => {
    await sink.send([record('a'), record('b'), record('c')]);
    await removeBefore(2);
    await expect(range(1)).rejects.toThrow(`${topic}/0 has no offset 1 any more`);
    expect(await range(2)).toEqual(['2 c']);
  });
});

describe('topics', () => {
  it('give their newest records, as many as are wanted, however many marks and aborted ones lie between', async () => {
    const old = Date.now() - 60_000;
    await sink.send([record('first', 1, old), record('second', 1, old + 1)]);
    await transact(['a'], ['b'], ['x', 'abort'], ['c'], ['d'], ['y', 'abort']);
    expect(await readAll({ last: 3 })).toEqual(['b', 'c', 'd']);
    expect(await readAll({ last: 5 })).toEqual(['second', 'a', 'b', 'c', 'd']);
    expect(await readAll({ last: 100 })).toHaveLength(6);
    expect(await readAll({ last: 0 })).toEqual([]);
  });

  it('give what was written since a time', async () => {
    const now = Date.now();
    await sink.send([record('old', 0, now - 60_000), record('new', 0, now), record('old', 1, now - 60_000)]);
    expect(await readAll({ sinceMs: now - 1_000 })).toEqual(['new']);
  });
});

describe('a fetcher', () => {
  function aFetcher(): Fetcher {
    const fetcher = new Fetcher({ cluster: aCluster(), clock: systemClock, logger: silentLogger });
    onTestFinished(() => fetcher.stop());
    return fetcher;
  }

  const valuesOf = ({ records }: FetchedBatch) => records.map(({ value }) => String(value));

  it('gives what comes, and keeps no partition waiting for one that is slow', async () => {
    const fetcher = aFetcher();
    const slow = Promise.withResolvers<void>();
    const found: string[][] = [[], []];
    fetcher.add({ topic, partition: 0 }, 0, (batch) => {
      found[0]?.push(...valuesOf(batch));
      return slow.promise;
    });
    fetcher.add({ topic, partition: 1 }, 0, (batch) => void found[1]?.push(...valuesOf(batch)));
    await sink.send([record('a'), record('b', 1)]);
    await expect.poll(() => found).toEqual([['a'], ['b']]);
    await sink.send([record('c'), record('d', 1)]);
    await expect.poll(() => found).toEqual([['a'], ['b', 'd']]);
    slow.resolve();
    await expect
      .poll(() => found)
      .toEqual([
        ['a', 'c'],
        ['b', 'd'],
      ]);
  });

  it('fetches the next batch of a partition that is behind while one is taken, and gives it in its turn', async () => {
    const values = Array.from({ length: 3_000 }, (_, number) => `${number}`.padEnd(1_000));
    for (let begin = 0; begin < values.length; begin += 500) {
      await sink.send(values.slice(begin, begin + 500).map((each) => record(each)));
    }
    const fetcher = aFetcher();
    const found: string[] = [];
    let taking = 0;
    fetcher.add({ topic, partition: 0 }, 0, async (batch) => {
      taking += 1;
      expect(taking).toBe(1);
      // Whatever is fetched meanwhile has come.
      await sleep(systemClock, 50);
      found.push(...valuesOf(batch));
      taking -= 1;
    });
    await expect.poll(() => found.length, { timeout: 10_000 }).toBe(values.length);
    expect(found).toEqual(values);
  });

  it('gives of every partition that is behind before it gives of one again, though they do not fit into one answer', async () => {
    const partitions = Array.from({ length: 12 }, (_, partition) => partition);
    const wide = `${topic}-wide`;
    await withAdmin(kafka(), (admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic: wide, numPartitions: 12, replicationFactor: 1 }] }),
    );
    const value = 'x'.repeat(256 * 1024);
    for (let written = 0; written < 6; written += 1) {
      await sink.send(partitions.map((partition) => ({ ...record(value, partition), topic: wide })));
    }
    const fetcher = aFetcher();
    const given: number[] = [];
    for (const partition of partitions) {
      fetcher.add({ topic: wide, partition }, 0, () => void given.push(partition));
    }
    await expect.poll(() => given.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(12);
    expect(given.slice(0, 12)).toEqual(partitions);
  });

  it('gives nothing of a partition any more that is removed', async () => {
    const fetcher = aFetcher();
    const found: string[] = [];
    fetcher.add({ topic, partition: 0 }, 0, () => void found.push('removed'));
    fetcher.remove({ topic, partition: 0 });
    fetcher.add({ topic, partition: 1 }, 0, (batch) => void found.push(...valuesOf(batch)));
    await sink.send([record('a'), record('b', 1)]);
    await expect.poll(() => found).toEqual(['b']);
  });

  it('goes on behind what was removed before it was read', async () => {
    await sink.send([record('a'), record('b'), record('c')]);
    await removeBefore(2);
    const found: string[] = [];
    aFetcher().add({ topic, partition: 0 }, 0, (batch) => void found.push(...valuesOf(batch)));
    await expect.poll(() => found).toEqual(['c']);
  });
});
