import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
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
import { TransactionalProducer } from '../../lib/kafka/transact/transactional-producer.ts';
import { untilAnswered } from '../../lib/kafka/until-answered.ts';
import { silentLogger } from '../../lib/logger.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { KafkaProxy } from '../support/kafka-proxy.ts';
import { type OwnCluster, startOwnCluster } from '../support/own-cluster.ts';
import { unusedPort } from '../support/pipeline.ts';
import { SlowTransaction } from '../support/slow-transaction.ts';

const produce = 0;
const addPartitionsToTxn = 24;
const endTxn = 26;
const never = new AbortController().signal;

describe.skipIf(noEmbedded !== undefined)(`a transaction whose connection ends${skipNote}`, () => {
  let cluster: OwnCluster;
  let proxy: KafkaProxy;
  let closeProxy: () => Promise<void>;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const port = await unusedPort();
    cluster = await startOwnCluster(1, { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` });
    proxy = new KafkaProxy(port, Number(cluster.settings.KAFKA_BROKERS.split(':')[1]));
    closeProxy = await proxy.open();
    env = { ...cluster.settings, KAFKA_BROKERS: `127.0.0.1:${port}` };
  });
  afterEach(() => proxy.choose(() => 'pass'));
  afterAll(async () => {
    await closeProxy();
    await cluster.stop();
  });

  const values = () => readSettings(kafkaSettings, { env, file: {}, running: {} });

  async function setUp() {
    const topic = `cut-${randomBytes(4).toString('hex')}`;
    const admin = createKafka(values(), 'imwatch-faults', silentLogger).admin();
    await admin.connect();
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
    await admin.disconnect();
    const connection = new Cluster(clusterOptions(values(), 'imwatch-faults'));
    onTestFinished(() => connection.close());
    const coordinators = new Coordinators(connection);
    const producer = new TransactionalProducer({
      cluster: connection,
      coordinators,
      transactionalId: topic,
      places: [{ topic, partition: 0 }],
      clock: systemClock,
    });
    await producer.initialise(never);
    const member = { groupId: topic, memberId: '', generationId: -1 };
    const commit = (value: string) => {
      const records = [
        { topic, partition: 0, key: Buffer.from('k'), value: Buffer.from(value), timestampMs: Date.now() },
      ];
      return producer.commit({ records, offsets: [], member }, never);
    };
    const visible = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      await readTopics({
        cluster: clusterOptions(values(), 'imwatch-faults'),
        logger: silentLogger,
        topics: [topic],
        start: 'beginning',
        follow: false,
        signal: never,
        onCaughtUp: () => undefined,
        onRecord: ({ value }) => void found.push(String(value)),
      });
      return found;
    };
    return { commit, visible };
  }

  /** Does this to the first request of the API, and counts them all. */
  function atFirst(apiKey: number, fate: 'cut' | 'mute') {
    const seen = { count: 0 };
    proxy.choose((each) => {
      if (each !== apiKey) return 'pass';
      seen.count += 1;
      return seen.count === 1 ? fate : 'pass';
    });
    return seen;
  }

  it.each([
    ['before the broker is told to commit', endTxn, 'cut'],
    ['when the broker has committed, before it says so', endTxn, 'mute'],
    ['before the broker has the records', produce, 'cut'],
    ['when the broker has the records, before it says so', produce, 'mute'],
    ['before the broker knows of the transaction', addPartitionsToTxn, 'cut'],
    ['when the broker knows of the transaction, before it says so', addPartitionsToTxn, 'mute'],
  ] as const)('%s: it is asked again, and committed once', async (_when, apiKey, fate) => {
    const { commit, visible } = await setUp();
    await commit('before');
    const seen = atFirst(apiKey, fate);
    await commit('this one');
    expect(seen.count).toBeGreaterThanOrEqual(2);
    await commit('after');
    // The marks that end a transaction are written behind the answer.
    await expect.poll(visible).toEqual(['before', 'this one', 'after']);
  });

  it('again and again before the end is aborted, and may be tried again', async () => {
    const { commit, visible } = await setUp();
    proxy.choose((apiKey) => (apiKey === produce ? 'cut' : 'pass'));
    await expect(commit('this one')).rejects.toThrow(TransactionAbortedError);
    proxy.choose(() => 'pass');
    await commit('this one');
    // The marks that end a transaction are written behind the answer.
    await expect.poll(visible).toEqual(['this one']);
  });
});

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
  const producerOf = (transactionalId: string) =>
    new TransactionalProducer({
      cluster: connection,
      coordinators,
      transactionalId,
      places: places(),
      clock: systemClock,
    });

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
    const member = { groupId: topic, memberId: '', generationId: -1 };
    await producer.commit({ records: [record(0, 'next'), record(1, 'next')], offsets: [], member }, never);
    await expect.poll(visible).toEqual(['next', 'next']);
  });

  it('makes the next owner stop where nobody knows how it has ended', async () => {
    const before = new SlowTransaction(coordinators);
    await before.begin();
    await before.write(connection, [record(1, 'unmarked')]);
    await expect(producerOf(before.id).initialise(never)).rejects.toThrow(UnmarkedTransactionError);
  });

  it('keeps nobody from the partition: the offset that is pending is ended', async () => {
    const groupId = topic;
    const place = { topic, partition: 0 };
    const before = new SlowTransaction(coordinators);
    await before.begin();
    await before.commitOffset(groupId, { ...place, offset: 5n });
    await before.end(true);
    await before.begin();
    await before.announce({ topic, partition: 1 });
    await before.commitUnannounced(groupId, { ...place, offset: 9n });
    await before.end(true);

    const producer = producerOf(before.id);
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
    const nobody = { groupId: topic, memberId: 'nobody', generationId: 7 };
    const restarts = Number(processEnvironment()['RESTARTS'] ?? 2);
    for (let restart = 0; restart < restarts; restart += 1) {
      topic = `restarts-${randomBytes(4).toString('hex')}`;
      await createTopic();
      const isOver = new AbortController();
      const committed: string[] = [];
      /** Commits one value after the other; each third transaction ends with offsets that nobody takes from it. */
      const commitAll = async (name: string): Promise<void> => {
        const producer = producerOf(`${topic}-${name}`);
        await producer.initialise(never);
        for (let number = 0; !isOver.signal.aborted || number % 3 !== 0; number += 1) {
          const value = `${name}-${number}`;
          const records = [record(0, value), record(1, value)];
          const offsets = number % 3 === 1 ? [{ topic, partition: 0, offset: 1 }] : [];
          for (let isOpen = true; isOpen; ) {
            try {
              await producer.commit({ records, offsets, member: nobody }, never);
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
