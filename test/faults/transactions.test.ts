import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { readSettings } from '../../lib/config/read.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { readTopics } from '../../lib/kafka/topic-reader.ts';
import { TransactionAbortedError } from '../../lib/kafka/transact/errors.ts';
import { TransactionalProducer } from '../../lib/kafka/transact/transactional-producer.ts';
import { silentLogger } from '../../lib/logger.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { KafkaProxy } from '../support/kafka-proxy.ts';
import { type OwnCluster, startOwnCluster } from '../support/own-cluster.ts';
import { unusedPort } from '../support/pipeline.ts';

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
