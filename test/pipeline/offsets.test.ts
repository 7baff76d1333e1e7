import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readSettings } from '../../lib/config/read.ts';
import { KafkaRequestError, withAdmin } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { committedOffsets, offsetRanges } from '../../lib/kafka/consume/partition-offsets.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';
import { unusedPort } from '../support/pipeline.ts';
import { SlowTransaction } from '../support/slow-transaction.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const values = (more: Readonly<Record<string, string>> = {}) =>
  readSettings(kafkaSettings, { env: { ...inject('cluster'), ...more }, file: {}, running: {} });
const unique = (name: string): string => `${name}-${randomBytes(4).toString('hex')}`;
const never = new AbortController().signal;

describe('offsets', () => {
  const topic = unique('offsets');
  const kafka = createKafka(values(), 'imwatch-test', silentLogger);
  let cluster: Cluster;
  let coordinators: Coordinators;

  beforeAll(async () => {
    cluster = new Cluster(clusterOptions(values(), 'imwatch-test'));
    coordinators = new Coordinators(cluster);
    await withAdmin(kafka, (admin) =>
      admin.createTopics({ topics: [{ topic, numPartitions: 4, replicationFactor: 1 }], waitForLeaders: true }),
    );
  });
  afterAll(() => cluster.close());

  const committed = (groupId: string, partitions: readonly number[], signal = never) =>
    committedOffsets({ coordinators, groupId, topic, partitions, signal });
  const commit = async (groupId: string, partition: number, offset: bigint) => {
    const transaction = new SlowTransaction(coordinators);
    await transaction.begin();
    await transaction.commitOffset(groupId, { topic, partition, offset });
    await transaction.end(true);
  };
  const ranges = (partitions: readonly number[], signal = never) =>
    offsetRanges({ cluster, topic, partitions, signal });

  it('of a group are what it has committed, and nothing where it has not', async () => {
    const groupId = unique('group');
    expect(await committed(groupId, [0, 1])).toEqual(
      new Map([
        [0, undefined],
        [1, undefined],
      ]),
    );
    await commit(groupId, 1, 7n);
    expect(await committed(groupId, [1, 0])).toEqual(
      new Map([
        [1, 7],
        [0, undefined],
      ]),
    );
  });

  it.each([
    ['commits', true, 9],
    ['is given up', false, 5],
  ])('of a group wait for an open transaction, which then %s', async (_how, isCommitted, expected) => {
    const groupId = unique('group');
    await commit(groupId, 2, 5n);
    const transaction = new SlowTransaction(coordinators);
    await transaction.begin();
    await transaction.commitOffset(groupId, { topic, partition: 2, offset: 9n });
    const order: string[] = [];
    const asked = committed(groupId, [2]).then((offsets) => {
      order.push('answered');
      return offsets;
    });
    // The other partition of the same group can be told while this one is waited for.
    expect(await committed(groupId, [3])).toEqual(new Map([[3, undefined]]));
    await expect(committed(groupId, [2], AbortSignal.timeout(300))).rejects.toMatchObject({ name: 'TimeoutError' });
    order.push('ended');
    await transaction.end(isCommitted);
    expect([...(await asked)]).toEqual([[2, expected]]);
    expect(order).toEqual(['ended', 'answered']);
  });

  it('that may be read end before an open transaction', async () => {
    const partition = 0;
    const producer = kafka.producer({ idempotent: true, transactionalId: unique('writer'), maxInFlightRequests: 1 });
    await producer.connect();
    const before = (await ranges([partition])).get(partition)?.stableEnd ?? -1;
    expect(before).toBe(0);
    await producer.send({
      topic,
      messages: [
        { partition, value: 'a' },
        { partition, value: 'b' },
      ],
    });
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ partition, value: 'open' }] });
    const other = kafka.producer();
    await other.connect();
    await other.send({ topic, messages: [{ partition, value: 'behind it' }] });
    await other.disconnect();
    const open = await ranges([partition, 1]);
    await transaction.commit();
    const ended = async () => (await ranges([partition])).get(partition);
    // Two records, the one in the transaction, the one behind it, the marker of the transaction.
    await expect.poll(ended, { timeout: 10_000 }).toEqual({ begin: 0, stableEnd: 5 });
    expect(open).toEqual(
      new Map([
        [0, { begin: 0, stableEnd: 2 }],
        [1, { begin: 0, stableEnd: 0 }],
      ]),
    );
    await producer.disconnect();
  });

  it('that may be read begin behind what has been deleted', async () => {
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: Array.from({ length: 5 }, () => ({ partition: 1, value: 'x' })) });
    await producer.disconnect();
    await withAdmin(kafka, async (admin) => {
      // kafkajs deletes only where it knows the leaders already.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '3' }] });
    });
    expect(await ranges([1])).toEqual(new Map([[1, { begin: 3, stableEnd: 5 }]]));
  });

  it('are waited for while no broker can be reached, until the signal', async () => {
    const [broker = ''] = clusterOptions(values(), 'x').brokers;
    const proxy = new TcpProxy(await unusedPort(), broker);
    const away = new Cluster(clusterOptions(values({ KAFKA_BROKERS: `127.0.0.1:${proxy.port}` }), 'imwatch-test'));
    const groupId = unique('group');
    const ask = (signal: AbortSignal) =>
      Promise.all([
        committedOffsets({ coordinators: new Coordinators(away), groupId, topic, partitions: [3], signal }),
        offsetRanges({ cluster: away, topic, partitions: [3], signal }),
      ]);
    await expect(ask(AbortSignal.timeout(200))).rejects.toMatchObject({ name: 'TimeoutError' });
    const asked = ask(never);
    await proxy.open();
    expect(await asked).toEqual([new Map([[3, undefined]]), new Map([[3, { begin: 0, stableEnd: 0 }]])]);
    await away.close();
    await proxy.cut();
  });

  it('are not waited for when the connections have been closed', async () => {
    const closed = new Cluster(clusterOptions(values(), 'imwatch-test'));
    await closed.close();
    const asked = offsetRanges({ cluster: closed, topic, partitions: [0], signal: never });
    await expect(asked).rejects.toThrow(KafkaRequestError);
  });
});

describe('a coordinator', () => {
  it('is asked for once, by however many, and again when it is forgotten', async () => {
    const cluster = new Cluster(clusterOptions(values(), 'imwatch-test'));
    const coordinators = new Coordinators(cluster);
    let asked = 0;
    const askAny = cluster.askAny.bind(cluster);
    cluster.askAny = (request) => {
      asked += 1;
      return askAny(request);
    };
    const groupId = unique('group');
    const [first, second] = await Promise.all([1, 2].map(() => coordinators.connectionTo('group', groupId)));
    expect(first?.isConnected()).toBe(true);
    expect(second).toBe(first);
    expect(asked).toBe(1);
    await coordinators.connectionTo('transaction', groupId);
    expect(asked).toBe(2);
    coordinators.forget('group', groupId);
    await coordinators.connectionTo('group', groupId);
    await coordinators.connectionTo('transaction', groupId);
    expect(asked).toBe(3);
    await cluster.close();
  });

  it('is asked for again after nobody could tell', async () => {
    const [broker = ''] = clusterOptions(values(), 'x').brokers;
    const proxy = new TcpProxy(await unusedPort(), broker);
    const cluster = new Cluster(clusterOptions(values({ KAFKA_BROKERS: `127.0.0.1:${proxy.port}` }), 'imwatch-test'));
    const coordinators = new Coordinators(cluster);
    await expect(coordinators.connectionTo('group', 'any')).rejects.toThrow(/Connection to 127.0.0.1:\d+ failed/);
    await proxy.open();
    expect((await coordinators.connectionTo('group', 'any')).isConnected()).toBe(true);
    await cluster.close();
    await proxy.cut();
  });
});
