import { randomBytes } from 'node:crypto';
import { addOffsetsToTxnV3, type Connection, endTxnV3, txnOffsetCommitV3 } from '@platformatic/kafka';
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { readSettings } from '../../lib/config/read.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { GroupMembership } from '../../lib/kafka/consume/membership.ts';
import { committedOffsets } from '../../lib/kafka/consume/partition-offsets.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { RecordRefusedError } from '../../lib/kafka/record-refused.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { readTopics } from '../../lib/kafka/topic-reader.ts';
import { FencedError, NotMemberError } from '../../lib/kafka/transact/errors.ts';
import type { GroupMember } from '../../lib/kafka/transact/transaction-requests.ts';
import { TransactionalProducer } from '../../lib/kafka/transact/transactional-producer.ts';
import { silentLogger } from '../../lib/logger.ts';

const values = () => readSettings(kafkaSettings, { env: inject('cluster'), file: {}, running: {} });
const options = () => clusterOptions(values(), 'imwatch-test');
const never = new AbortController().signal;

let input: string;
let output: string;
let groupId: string;

beforeEach(async () => {
  const name = `transact-${randomBytes(4).toString('hex')}`;
  [input, output, groupId] = [`${name}-in`, `${name}-out`, name];
  const admin = createKafka(values(), 'imwatch-test', silentLogger).admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: [
      { topic: input, numPartitions: 2 },
      { topic: output, numPartitions: 2 },
    ],
  });
  await admin.disconnect();
});

function connect() {
  const cluster = new Cluster(options());
  onTestFinished(() => cluster.close());
  return { cluster, coordinators: new Coordinators(cluster) };
}

/** A producer that has the id of the test's group. */
async function aProducer(transactionalId = groupId) {
  const connection = connect();
  const places = [0, 1].map((partition) => ({ topic: output, partition }));
  const producer = new TransactionalProducer({ ...connection, transactionalId, places, clock: systemClock });
  await producer.initialise(never);
  return { ...connection, producer };
}

/** A member of the test's group, in its present generation. */
async function aMember(): Promise<{ readonly member: GroupMember; readonly membership: GroupMembership }> {
  const assigned = Promise.withResolvers<GroupMember>();
  const membership = new GroupMembership({
    kafka: createKafka(values(), 'imwatch-test', silentLogger),
    groupId,
    topics: [input],
    onAssigned: ({ memberId, generationId }) => assigned.resolve({ groupId, memberId, generationId }),
    onRevoked: () => undefined,
    onFailed: assigned.reject,
  });
  await membership.start();
  onTestFinished(() => membership.stop());
  return { member: await assigned.promise, membership };
}

function record(value: string, partition = 0) {
  return { topic: output, partition, key: Buffer.from('k'), value: Buffer.from(value), timestampMs: Date.now() };
}

/** The marks that end a transaction are written behind the answer. */
const visibleValues = () => expect.poll(visible);

async function visible(): Promise<readonly string[]> {
  const found: { readonly place: number; readonly value: string }[] = [];
  await readTopics({
    cluster: options(),
    logger: silentLogger,
    topics: [output],
    start: 'beginning',
    follow: false,
    signal: never,
    onCaughtUp: () => undefined,
    onRecord: ({ partition, offset, value }) =>
      void found.push({ place: partition * 1e6 + offset, value: String(value) }),
  });
  return found.toSorted((one, other) => one.place - other.place).map(({ value }) => value);
}

async function committed(
  { coordinators }: { readonly coordinators: Coordinators },
  partition = 0,
): Promise<number | undefined> {
  const offsets = await committedOffsets({
    coordinators,
    groupId,
    topic: input,
    partitions: [partition],
    signal: never,
  });
  return offsets.get(partition);
}

describe('a transaction', () => {
  it('makes its records and the offsets visible together, and tells where they stand', async () => {
    const { member } = await aMember();
    const { producer, coordinators } = await aProducer();
    expect(await committed({ coordinators })).toBeUndefined();
    const offsets = [{ topic: input, partition: 0, offset: 5 }];
    const first = await producer.commit(
      { records: [record('a'), record('b'), record('c', 1)], offsets, member },
      never,
    );
    expect(Object.fromEntries(first)).toEqual({ [`${output}/0`]: 1, [`${output}/1`]: 0 });
    // The end of a transaction is a record too.
    const second = await producer.commit(
      { records: [record('d')], offsets: [{ topic: input, partition: 0, offset: 6 }], member },
      never,
    );
    expect(Object.fromEntries(second)).toEqual({ [`${output}/0`]: 3 });
    await visibleValues().toEqual(['a', 'b', 'd', 'c']);
    expect(await committed({ coordinators })).toBe(6);
  });

  it('may be larger than a request', async () => {
    const { producer } = await aProducer();
    const { member } = await aMember();
    const records = Array.from({ length: 3_000 }, (_, number) => record(`${number}`.padEnd(1_000), number % 2));
    await producer.commit({ records, offsets: [], member }, never);
    await expect.poll(async () => (await visible()).length).toBe(3_000);
    const numbers = (await visible()).map(Number);
    const order = Array.from({ length: 3_000 }, (_, number) => number);
    expect(numbers).toEqual([...order.filter((each) => each % 2 === 0), ...order.filter((each) => each % 2 === 1)]);
  });

  it('of somebody who is no member of this generation is aborted', async () => {
    const { member } = await aMember();
    const { producer, coordinators } = await aProducer();
    const offsets = [{ topic: input, partition: 0, offset: 5 }];
    for (const wrong of [
      { ...member, generationId: member.generationId - 1 },
      { ...member, memberId: 'somebody' },
    ]) {
      await expect(producer.commit({ records: [record('wrong')], offsets, member: wrong }, never)).rejects.toThrow(
        NotMemberError,
      );
    }
    await producer.commit({ records: [record('right')], offsets, member }, never);
    await visibleValues().toEqual(['right']);
    expect(await committed({ coordinators })).toBe(5);
  });

  it('with a record that no broker takes is aborted, and the next one is not', async () => {
    const { member } = await aMember();
    const { producer } = await aProducer();
    const tooLarge = { ...record(''), value: Buffer.alloc(2 * 1024 * 1024) };
    await expect(producer.commit({ records: [record('a'), tooLarge], offsets: [], member }, never)).rejects.toThrow(
      RecordRefusedError,
    );
    await producer.commit({ records: [record('b')], offsets: [], member }, never);
    await visibleValues().toEqual(['b']);
  });

  it('of a producer whose id somebody else has taken is fenced', async () => {
    const { member } = await aMember();
    const [one, other] = [await aProducer(), await aProducer()];
    await expect(one.producer.commit({ records: [record('one')], offsets: [], member }, never)).rejects.toThrow(
      FencedError,
    );
    await other.producer.commit({ records: [record('other')], offsets: [], member }, never);
    await expect(one.producer.commit({ records: [record('one')], offsets: [], member }, never)).rejects.toThrow(
      FencedError,
    );
    await visibleValues().toEqual(['other']);
  });
});

describe('an owner that was frozen in a transaction', () => {
  /** Begins a transaction by the requests themselves, and stops behind the offsets. */
  async function frozen(member: GroupMember) {
    const { cluster, coordinators } = connect();
    const { initProducerIdV4 } = await import('@platformatic/kafka');
    const connection: Connection = await coordinators.connectionTo('transaction', groupId);
    const { producerId, producerEpoch } = await initProducerIdV4.api.async(connection, groupId, 10_000);
    await addOffsetsToTxnV3.api.async(connection, groupId, producerId, producerEpoch, groupId);
    const group = await coordinators.connectionTo('group', groupId);
    const partitions = [{ partitionIndex: 0, committedOffset: 9n, committedLeaderEpoch: -1, committedMetadata: null }];
    const { generationId, memberId } = member;
    await txnOffsetCommitV3.api.async(
      group,
      groupId,
      groupId,
      producerId,
      producerEpoch,
      generationId,
      memberId,
      null,
      [{ name: input, partitions }],
    );
    return {
      cluster,
      coordinators,
      end: () => endTxnV3.api.async(connection, groupId, producerId, producerEpoch, true),
    };
  }

  it('keeps whoever asks for the offsets waiting until it is clear, and is fenced when it goes on', async () => {
    const { member } = await aMember();
    const { coordinators, end } = await frozen(member);
    let isKnown = false;
    const offset = committed(connect()).then((known) => {
      isKnown = true;
      return known;
    });
    await committed({ coordinators }, 1);
    expect(isKnown).toBe(false);
    const { producer } = await aProducer();
    expect(await offset).toBeUndefined();
    await expect(end()).rejects.toThrow();
    await producer.commit({ records: [], offsets: [{ topic: input, partition: 0, offset: 3 }], member }, never);
    expect(await committed({ coordinators })).toBe(3);
  });

  it('that is committing when its id is taken has committed', async () => {
    const { member } = await aMember();
    const { coordinators, end } = await frozen(member);
    await end();
    await aProducer();
    expect(await committed({ coordinators })).toBe(9);
  });
});
