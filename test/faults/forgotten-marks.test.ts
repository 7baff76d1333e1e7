import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { beginningOf } from '../../consumers/runtime/partition/beginning.ts';
import { systemClock } from '../../lib/clock.ts';
import { readSettings } from '../../lib/config/read.ts';
import { processEnvironment } from '../../lib/config/sources.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { committedOffsets, OffsetsPendingError } from '../../lib/kafka/consume/partition-offsets.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { readTopics } from '../../lib/kafka/topic-reader.ts';
import { NotMemberError, TransactionAbortedError, UnmarkedTransactionError } from '../../lib/kafka/transact/errors.ts';
import {
  TransactionalProducer,
  type TransactionalProducerOptions,
} from '../../lib/kafka/transact/transactional-producer.ts';
import { untilAnswered } from '../../lib/kafka/until-answered.ts';
import { silentLogger } from '../../lib/logger.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { type OwnCluster, startOwnCluster } from '../support/own-cluster.ts';
import { SlowTransaction } from '../support/slow-transaction.ts';

const never = new AbortController().signal;

describe.skipIf(noEmbedded !== undefined)(`a broker that has ended a transaction without its marks${skipNote}`, () => {
  let own: OwnCluster;
  let topic: string;
  let connection: Cluster;
  let coordinators: Coordinators;
  const values = () => readSettings(kafkaSettings, { env: own.settings, file: {}, running: {} });
  const places = () => [0, 1].map((partition) => ({ topic, partition }));

  beforeAll(async () => {
    // Else it would not take what is to be left without a mark.
    own = await startOwnCluster(1, { 'transaction.partition.verification.enable': 'false' });
  });
  afterAll(() => own.stop());
  beforeEach(async () => {
    topic = `unmarked-${randomBytes(4).toString('hex')}`;
    await createTopic();
    connection = new Cluster(clusterOptions(values(), 'imwatch-faults'));
    coordinators = new Coordinators(connection);
    onTestFinished(() => connection.close());
  });

  async function createTopic(): Promise<void> {
    await untilAnswered(never, () =>
      withAdmin(createKafka(values(), 'imwatch-faults', silentLogger), (admin) =>
        admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 2 }] }),
      ),
    );
  }

  const record = (partition: number, value: string) => ({
    topic,
    partition,
    key: Buffer.from('k'),
    value: Buffer.from(value),
    timestampMs: Date.now(),
  });
  const producerOf = (transactionalId: string, more: Partial<TransactionalProducerOptions> = {}) =>
    new TransactionalProducer({
      cluster: connection,
      coordinators,
      transactionalId,
      places: places(),
      clock: systemClock,
      ...more,
    });
  const nobody = { groupId: '', memberId: '', generationId: -1 };

  /** What readers see, as soon as nothing is open any more. */
  async function visible(): Promise<readonly string[]> {
    const found: string[] = [];
    await readTopics({
      cluster: clusterOptions(values(), 'imwatch-faults'),
      logger: silentLogger,
      topics: [topic],
      start: 'beginning',
      follow: false,
      signal: never,
      onCaughtUp: () => undefined,
      onRecord: async ({ value }) => {
        found.push(value?.toString() ?? '');
      },
    });
    return found.toSorted();
  }

  /** A transaction that has written to both partitions, and whose end reaches only one of them. */
  async function halfMarked(committed: boolean): Promise<string> {
    const before = new SlowTransaction(coordinators);
    await before.begin();
    await before.announce({ topic, partition: 0 });
    await before.write(connection, [record(0, 'marked'), record(1, 'unmarked')]);
    await before.end(committed);
    return before.id;
  }

  it('has its marks made up for by the next owner: what was committed is', async () => {
    const id = await halfMarked(true);
    await expect.poll(visible).toEqual(['marked']);
    await producerOf(id).initialise(never);
    await expect.poll(visible).toEqual(['marked', 'unmarked']);
  });

  it('and what was aborted is not, nor with what is committed next', async () => {
    const id = await halfMarked(false);
    const producer = producerOf(id);
    await producer.initialise(never);
    await producer.commit({ records: [record(0, 'next'), record(1, 'next')], offsets: [], member: nobody }, never);
    await expect.poll(visible).toEqual(['next', 'next']);
  });

  it('has them made up for by an owner that is told to stop meanwhile: nobody after it would know', async () => {
    const id = await halfMarked(true);
    const stop = new AbortController();
    const producer = producerOf(id, { onForgottenMarks: () => stop.abort() });
    await expect(producer.initialise(stop.signal)).rejects.toThrow(stop.signal.reason);
    await expect.poll(visible).toEqual(['marked', 'unmarked']);
  });

  it('has them made up for by the same owner, before it begins anything over a new connection', async () => {
    const before = new SlowTransaction(coordinators);
    await before.begin();
    await before.announce({ topic, partition: 0 });
    await before.write(connection, [record(0, 'marked')]);
    await before.end(true);
    const producer = producerOf(before.id);
    await producer.initialise(never);
    await (await SlowTransaction.asOwnerOf(before.id, coordinators)).write(connection, [record(1, 'unmarked')]);
    await (await coordinators.connectionTo('transaction', before.id)).close();
    await producer.commit({ records: [record(0, 'next')], offsets: [], member: nobody }, never);
    await expect.poll(visible).toEqual(['marked', 'next', 'unmarked']);
  });

  it('makes the next owner stop where nobody knows how it has ended', async () => {
    const before = new SlowTransaction(coordinators);
    await before.begin();
    await before.write(connection, [record(1, 'unmarked')]);
    await expect(producerOf(before.id).initialise(never)).rejects.toThrow(UnmarkedTransactionError);
  });

  it('makes it stop as well where an owner in between has begun another: who has the id keeps it', async () => {
    const before = new SlowTransaction(coordinators);
    await before.begin();
    await before.write(connection, [record(1, 'unmarked')]);
    await before.begin();
    await before.announce({ topic, partition: 0 });
    await before.write(connection, [record(0, 'of another')]);
    await expect(producerOf(before.id).initialise(never)).rejects.toThrow(UnmarkedTransactionError);
    await before.end(true);
    await expect.poll(visible).toEqual(['of another']);
  });

  it('is not looked for in vain: the next owner says which leader is away', async () => {
    const id = await halfMarked(true);
    const places = [{ topic: `${topic}-missing`, partition: 0 }];
    await expect(producerOf(id, { places, transactionTimeoutMs: 500 }).initialise(never)).rejects.toThrow(
      `${topic}-missing/0 has no leader`,
    );
  });

  /** Offset 5 is committed; 9 is too, but stays pending. */
  async function pendingOffset(groupId: string): Promise<string> {
    const place = { topic, partition: 0 };
    const before = new SlowTransaction(coordinators);
    await before.begin();
    await before.commitOffset(groupId, { ...place, offset: 5n });
    await before.end(true);
    await before.begin();
    await before.announce({ topic, partition: 1 });
    await before.commitUnannounced(groupId, { ...place, offset: 9n });
    await before.end(true);
    return before.id;
  }

  it('has the mark of the group made up for with the others', async () => {
    const groupId = topic;
    const id = await pendingOffset(groupId);
    await producerOf(id, { groupId }).initialise(never);
    const where = { topic, partitions: [0], coordinators, groupId, signal: never };
    expect(await committedOffsets(where)).toEqual(new Map([[0, 9]]));
  });

  it('keeps nobody from the partition: the offset that is pending is ended', async () => {
    const groupId = topic;
    const place = { topic, partition: 0 };
    const producer = producerOf(await pendingOffset(groupId));
    await producer.initialise(never);
    const where = { ...place, coordinators, groupId, signal: never, pendingMs: 500 };
    await expect(committedOffsets({ ...where, partitions: [0] })).rejects.toThrow(OffsetsPendingError);
    const begin = { ...where, cluster: connection, producer, logger: silentLogger };
    expect(await beginningOf(begin)).toEqual({ offset: 9, isFirst: false });

    const member = { groupId, memberId: '', generationId: -1 };
    await producer.commit({ records: [], offsets: [{ ...place, offset: 12 }], member }, never);
    await expect.poll(() => beginningOf(begin)).toEqual({ offset: 12, isFirst: false });
  });

  it('restarts again and again: what producers were told to be committed is, and nothing else', async () => {
    const restarts = Number(processEnvironment()['RESTARTS'] ?? 2);
    for (let restart = 0; restart < restarts; restart += 1) {
      topic = `restarts-${randomBytes(4).toString('hex')}`;
      await createTopic();
      const stranger = { groupId: topic, memberId: 'nobody', generationId: 7 };
      const isOver = new AbortController();
      const committed: string[] = [];
      /** Commits one value after the other; each third transaction ends with offsets that nobody takes from it. */
      const commitAll = async (name: string): Promise<void> => {
        // A broker that is slow to come back must not leave open how a transaction has ended.
        const producer = producerOf(`${topic}-${name}`, { transactionTimeoutMs: 60_000 });
        await producer.initialise(never);
        for (let number = 0; !isOver.signal.aborted || number % 3 !== 0; number += 1) {
          const value = `${name}-${number}`;
          const records = [record(0, value), record(1, value)];
          const offsets = number % 3 === 1 ? [{ topic, partition: 0, offset: 1 }] : [];
          for (let isOpen = true; isOpen; ) {
            try {
              await producer.commit({ records, offsets, member: stranger }, never);
              committed.push(value, value);
              isOpen = false;
            } catch (error) {
              if (error instanceof NotMemberError) isOpen = false;
              else if (!(error instanceof TransactionAbortedError)) throw error;
            }
          }
        }
      };
      const all = Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(commitAll));
      await expect.poll(() => committed.length, { timeout: 30_000 }).toBeGreaterThan(20);
      await own.brokers[0]?.kill();
      const before = committed.length;
      await own.brokers[0]?.start();
      await expect.poll(() => committed.length, { timeout: 60_000 }).toBeGreaterThan(before + 20);
      isOver.abort();
      await all;
      await expect.poll(visible).toEqual(committed.toSorted());
    }
  }, 180_000);
});
