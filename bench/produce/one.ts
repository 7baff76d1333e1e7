// One client in a process of its own, so that none changes another: prints CPU microseconds for each record of a batch.
import { Producer } from '@platformatic/kafka';
import { readSettings } from '../../lib/config/read.ts';
import { processSources } from '../../lib/config/sources.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { KafkaSink } from '../../lib/kafka/kafka-sink.ts';
import type { OutgoingRecord } from '../../lib/kafka/ports.ts';
import { IdempotentSink } from '../../lib/kafka/produce/sink.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';
import { replaceEncoderOfKafkajs } from './kafkajs-encoder.ts';

const [client = '', topic = '', recordsInBatch = '32', batches = '2000'] = process.argv.slice(2);
const values = readSettings(kafkaSettings, processSources());
const partitions = 12;
const value = Buffer.alloc(330, 7);

function batchOf(number: number): readonly OutgoingRecord[] {
  return Array.from({ length: Number(recordsInBatch) }, (_, index) => ({
    topic,
    partition: (number * 7 + index * 5) % partitions,
    key: Buffer.from(`1400187352/user-${number % 5000}`),
    value: Buffer.from(value),
    timestampMs: 1_700_000_000_000 + number,
  }));
}

async function sender(): Promise<(records: readonly OutgoingRecord[]) => Promise<unknown>> {
  if (client.startsWith('kafkajs')) {
    if (client === 'kafkajs, our encoder') replaceEncoderOfKafkajs();
    const sink = new KafkaSink(createKafka(values, 'imwatch-bench', silentLogger));
    await sink.connect();
    return (records) => sink.send(records);
  }
  const options = clusterOptions(values, 'imwatch-bench');
  if (client === 'platformatic, our requests') {
    const sink = new IdempotentSink(options);
    await sink.connect();
    return (records) => sink.send(records);
  }
  const { clientId, brokers, connection } = options;
  const producer = new Producer({ clientId, bootstrapBrokers: [...brokers], idempotent: true, ...connection });
  return (records) =>
    producer.send({
      messages: records.map(({ topic: to, partition, key, value: body, timestampMs }) => {
        return { topic: to, partition, key, value: body ?? Buffer.alloc(0), timestamp: BigInt(timestampMs) };
      }),
    });
}

const send = await sender();
for (let number = 0; number < 500; number += 1) await send(batchOf(number));
const before = process.cpuUsage();
for (let number = 0; number < Number(batches); number += 1) await send(batchOf(number));
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${(user + system) / (Number(batches) * Number(recordsInBatch))}\n`);
process.exit(0);
