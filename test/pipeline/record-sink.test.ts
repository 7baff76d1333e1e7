import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { readSettings } from '../../lib/config/read.ts';
import { KafkaRequestError } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { KafkaSink } from '../../lib/kafka/kafka-sink.ts';
import type { ConnectedSink, OutgoingRecord } from '../../lib/kafka/ports.ts';
import { lastSequence } from '../../lib/kafka/produce/producer-session.ts';
import { IdempotentSink } from '../../lib/kafka/produce/sink.ts';
import { RecordRefusedError } from '../../lib/kafka/record-refused.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { readTopics } from '../../lib/kafka/topic-reader.ts';
import { silentLogger } from '../../lib/logger.ts';
import { unusedPort } from '../support/pipeline.ts';

const partitions = 3;
/** Kafka removes records that are older than the retention of their topic, whenever it looks. */
const nowMs = Date.now();

function kafkaValues(more: Readonly<Record<string, string>> = {}) {
  return readSettings(kafkaSettings, { env: { ...inject('cluster'), ...more }, file: {}, running: {} });
}

const kafka = () => createKafka(kafkaValues(), 'imwatch-test', silentLogger);

async function createTopics(topics: readonly string[]): Promise<void> {
  const admin = kafka().admin();
  await admin.connect();
  await admin.createTopics({
    topics: topics.map((topic) => ({ topic, numPartitions: partitions, replicationFactor: 1 })),
    waitForLeaders: true,
  });
  await admin.disconnect();
}

interface Seen {
  readonly key: string;
  readonly value: string;
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

const place = ({ topic, partition }: { readonly topic: string; readonly partition: number }) => `${topic}/${partition}`;

/** What stands on `topics`, by partition, in order. */
async function readAll(topics: readonly string[]): Promise<Readonly<Record<string, readonly Seen[]>>> {
  const found: (Seen & { readonly place: string })[] = [];
  await readTopics({
    cluster: clusterOptions(kafkaValues(), 'imwatch-test'),
    logger: silentLogger,
    topics,
    start: 'beginning',
    follow: false,
    signal: new AbortController().signal,
    onCaughtUp: () => undefined,
    onRecord: (record) => {
      const { key, value, timestampMs, headers } = record;
      const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
      const seen = { key: String(key), value: String(value), timestampMs, headers: Object.fromEntries(texts) };
      found.push({ place: place(record), ...seen });
      return Promise.resolve();
    },
  });
  return byPlace(found);
}

function byPlace<T extends { readonly place: string }>(records: readonly T[]) {
  const groups = Map.groupBy(records, (record) => record.place);
  return Object.fromEntries(
    Array.from(groups, ([name, group]) => [name, group.map(({ place: _place, ...rest }) => rest)]),
  );
}

function asSeen(records: readonly OutgoingRecord[]): Readonly<Record<string, readonly Seen[]>> {
  return byPlace(
    records.map(({ key, value, timestampMs, headers = {}, ...where }) => {
      return { place: place(where), key: String(key), value: String(value), timestampMs, headers };
    }),
  );
}

/** Both clients, which have to keep the same contract, and the one that runs out of sequence numbers all the time. */
const clients: readonly (readonly [
  name: string,
  create: (more?: Readonly<Record<string, string>>) => ConnectedSink,
])[] = [
  ['kafkajs', (more) => new KafkaSink(createKafka(kafkaValues(more), 'imwatch-test', silentLogger))],
  ['platformatic', (more) => new IdempotentSink(clusterOptions(kafkaValues(more), 'imwatch-test'))],
];

describe.each(clients)('the sink of %s', (_name, create) => {
  const topics = [1, 2].map((number) => `sink-${randomBytes(4).toString('hex')}-${number}`);
  let sink: ConnectedSink;
  const sent: OutgoingRecord[] = [];
  const recordOf = (number: number, more: Partial<OutgoingRecord> = {}): OutgoingRecord => ({
    topic: topics[number % 2] ?? '',
    partition: number % partitions,
    key: Buffer.from(`key-${number % 5}`),
    value: Buffer.from(`${number} ${'x'.repeat(number % 50)}`),
    timestampMs: nowMs + number,
    ...more,
  });

  beforeAll(async () => {
    await createTopics(topics);
    sink = create();
    await sink.connect();
  });
  afterAll(() => sink.disconnect());

  it('writes records of several topics and partitions once, whole, in their order', async () => {
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', ce_id: 'ï' };
    for (let first = 0; first < 200; first += 40) {
      const batch = Array.from({ length: 40 }, (_, index) =>
        recordOf(first + index, first % 80 === 0 ? {} : { headers }),
      );
      await sink.send(batch);
      sent.push(...batch);
    }
    expect(await readAll(topics)).toEqual(asSeen(sent));
  });

  it('refuses what the broker never takes, and goes on', async () => {
    const tooLarge = recordOf(0, { value: Buffer.alloc(2 * 1024 * 1024) });
    await expect(sink.send([tooLarge])).rejects.toThrow(RecordRefusedError);
    const after = recordOf(202);
    await sink.send([after]);
    const inPartition = (await readAll(topics))[place(after)];
    expect(inPartition?.at(-1)).toEqual(asSeen([after])[place(after)]?.[0]);
  });

  it('fails for a topic that is not there, and goes on', async () => {
    await expect(sink.send([recordOf(0, { topic: 'no-such-topic' })])).rejects.toThrow();
    const after = recordOf(203);
    await sink.send([after]);
    expect((await readAll(topics))[place(after)]?.at(-1)).toEqual(asSeen([after])[place(after)]?.[0]);
  });

  it('says that no broker can be reached', async () => {
    const nowhere = create({ KAFKA_BROKERS: `127.0.0.1:${await unusedPort()}` });
    await expect(nowhere.connect()).rejects.toThrow(/ECONNREFUSED/);
    await nowhere.disconnect();
  });
});

describe('the idempotent producer', () => {
  it('names the partitions that failed, and the others have their records', async () => {
    const topics = [`sink-${randomBytes(4).toString('hex')}`];
    await createTopics(topics);
    const sink = new IdempotentSink(clusterOptions(kafkaValues(), 'imwatch-test'));
    const [topic] = topics;
    if (topic === undefined) throw new Error('no topic');
    const taken = { topic, partition: 0, key: Buffer.from('a'), value: Buffer.from('1'), timestampMs: nowMs };
    const tooLarge = { ...taken, partition: 2, value: Buffer.alloc(2 * 1024 * 1024) };
    await expect(sink.send([taken, tooLarge])).rejects.toMatchObject({
      name: 'PartitionsFailedError',
      failed: [{ topic, partition: 2 }],
    });
    expect(await readAll(topics)).toEqual(asSeen([taken]));
    await sink.disconnect();
  });

  it('takes a new id before its sequence numbers run out, and loses and doubles nothing', async () => {
    const topics = [`sink-${randomBytes(4).toString('hex')}`];
    await createTopics(topics);
    const limit = 9;
    const sink = new IdempotentSink(clusterOptions(kafkaValues(), 'imwatch-test'), limit);
    await sink.connect();
    const records = Array.from({ length: 36 }, (_, number) => ({
      topic: topics[0] ?? '',
      partition: 0,
      key: Buffer.from('key'),
      value: Buffer.from(String(number)),
      timestampMs: nowMs,
    }));
    for (let first = 0; first < records.length; first += 4) await sink.send(records.slice(first, first + 4));
    await sink.disconnect();
    expect(await readAll(topics)).toEqual(asSeen(records));
    // Numbers 0 to 9 are two batches of four, so nine batches need five ids.
    expect(sink.sessions).toBe(5);
  });

  it('is kept up by no broker that takes connections and never answers', async () => {
    const frozen = createServer((socket) => socket.on('error', () => undefined));
    await once(frozen.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void frozen.close());
    const { port } = frozen.address() as AddressInfo;
    const brokers = `127.0.0.1:${port},${inject('cluster')['KAFKA_BROKERS']}`;
    const sink = new IdempotentSink(clusterOptions(kafkaValues({ KAFKA_BROKERS: brokers }), 'imwatch-test'));
    await sink.connect();
    const topic = `sink-${randomBytes(4).toString('hex')}`;
    await createTopics([topic]);
    const records = [1, 2].map((number) => {
      return { topic, partition: number, key: Buffer.from('k'), value: Buffer.from('v'), timestampMs: nowMs };
    });
    await sink.send(records);
    expect(await readAll([topic])).toEqual(asSeen(records));
    await sink.disconnect();
  });

  it('says that no broker can be reached as an error that passes', async () => {
    const options = clusterOptions(kafkaValues({ KAFKA_BROKERS: `127.0.0.1:${await unusedPort()}` }), 'imwatch-test');
    const sink = new IdempotentSink(options, lastSequence);
    await expect(sink.connect()).rejects.toThrow(KafkaRequestError);
    const record = { topic: 't', partition: 0, key: Buffer.alloc(0), value: Buffer.alloc(0), timestampMs: 0 };
    await expect(sink.send([record])).rejects.toThrow(KafkaRequestError);
    await sink.disconnect();
  });
});
