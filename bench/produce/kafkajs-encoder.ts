import { createRequire } from 'node:module';
import type { OutgoingRecord } from '../../lib/kafka/ports.ts';
import { recordBatchBytes, writeRecordBatch } from '../../lib/kafka/produce/record-batch.ts';

interface TopicData {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly messages: readonly { readonly key: Buffer; readonly value: Buffer; readonly timestamp: string }[];
  }[];
}

/**
 * Replaces the encoder of kafkajs's Produce request (version 3, which its later ones are made of) by ours, in this process, to see what a client
 * without its own encoder would cost. A trial: it reaches into the module cache.
 */
export function replaceEncoderOfKafkajs(): void {
  const require = createRequire(import.meta.url);
  const path = require.resolve('kafkajs/src/protocol/requests/produce/v3/request.js');
  require(path);
  const Encoder = require('kafkajs/src/protocol/encoder.js') as new (size: number) => { buf: Buffer; offset: number };
  const cached = require.cache[path];
  if (cached === undefined) throw new Error('kafkajs has no Produce request of version 3');
  cached.exports = ({
    acks,
    timeout,
    topicData,
  }: {
    acks: number;
    timeout: number;
    topicData: readonly TopicData[];
  }) => ({
    apiKey: 0,
    apiVersion: 3,
    apiName: 'Produce',
    expectResponse: () => true,
    encode: () => {
      const encoder = new Encoder(1);
      encoder.buf = encode(acks, timeout, topicData);
      encoder.offset = encoder.buf.length;
      return Promise.resolve(encoder);
    },
  });
}

/** Body of a Produce request of version 3, without a transaction or a producer id. */
function encode(acks: number, timeoutMs: number, topicData: readonly TopicData[]): Buffer {
  const parts: Buffer[] = [numbers([2, -1], [2, acks], [4, timeoutMs], [4, topicData.length])];
  for (const { topic, partitions } of topicData) {
    parts.push(numbers([2, topic.length]), Buffer.from(topic), numbers([4, partitions.length]));
    for (const { partition, messages } of partitions) {
      const records: OutgoingRecord[] = messages.map(({ key, value, timestamp }) => {
        return { topic, partition, key, value, timestampMs: Number(timestamp) };
      });
      const batch = Buffer.allocUnsafe(recordBatchBytes(records));
      writeRecordBatch(batch, 0, records, { producerId: -1n, producerEpoch: 0, firstSequence: 0 });
      parts.push(numbers([4, partition], [4, batch.length]), batch);
    }
  }
  return Buffer.concat(parts);
}

function numbers(...fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Buffer {
  const target = Buffer.allocUnsafe(fields.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of fields)
    at = bytes === 2 ? target.writeInt16BE(value, at) : target.writeInt32BE(value, at);
  return target;
}
