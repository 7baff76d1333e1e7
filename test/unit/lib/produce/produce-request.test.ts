import { createRecordsBatch, produceV9, Reader, readRecordsBatch, type Writer } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutgoingRecord } from '../../../../lib/kafka/ports.ts';
import { encodeProduceRequest, type TopicRecords } from '../../../../lib/kafka/produce/produce-request.ts';
import { recordBatchBytes, writeRecordBatch } from '../../../../lib/kafka/produce/record-batch.ts';
import {
  unsignedVarintBytes,
  varintBytes,
  writeUnsignedVarint,
  writeVarint,
} from '../../../../lib/kafka/produce/varint.ts';

const identity = { producerId: 4242n, producerEpoch: 7, firstSequence: 99 };

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const anyTime = fc.oneof(fc.integer({ min: 1.6e12, max: 1.8e12 }), fc.maxSafeNat());
/** Times near each other: the library writes differences beyond 31 bits wrongly. */
const nearTime = fc.integer({ min: 1.7e12, max: 1.7e12 + 1e9 });
const headers = fc.option(
  fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.string({ maxLength: 200 })),
  {
    nil: undefined,
  },
);
const recordsWith = (time: fc.Arbitrary<number>): fc.Arbitrary<OutgoingRecord[]> =>
  fc.array(
    fc
      .record({ key: bytes, value: fc.option(bytes), timestampMs: time, headers })
      .map(({ headers: given, ...record }) => ({
        topic: 'im.verdict.v1',
        partition: 3,
        ...record,
        ...(given !== undefined && { headers: given }),
      })),
    { minLength: 1, maxLength: 40 },
  );

/** The same records for the library. */
function messagesOf(each: readonly OutgoingRecord[]) {
  return each.map(({ topic, partition, key, value, timestampMs, headers: given = {} }) => ({
    topic,
    partition,
    key,
    value,
    timestamp: BigInt(timestampMs),
    headers: new Map(Object.entries(given).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
  }));
}

function batchOf(each: readonly OutgoingRecord[], isTransactional = false): Buffer {
  const target = Buffer.alloc(recordBatchBytes(each));
  expect(writeRecordBatch(target, 0, each, { ...identity, isTransactional })).toBe(target.length);
  return target;
}

describe('variable-length integers', () => {
  it('are those that the library reads, and as long as was said', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.maxSafeInteger()), (value) => {
        const target = Buffer.alloc(varintBytes(value));
        expect(writeVarint(target, value, 0)).toBe(target.length);
        expect(Reader.from(target).readVarInt64()).toBe(BigInt(value));
      }),
    );
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 - 1 }), (value) => {
        const target = Buffer.alloc(unsignedVarintBytes(value));
        expect(writeUnsignedVarint(target, value, 0)).toBe(target.length);
        expect(Reader.from(target).readUnsignedVarInt()).toBe(value);
      }),
    );
  });
});

describe('a record batch', () => {
  it('gives back every record, its identity and times', () => {
    fc.assert(
      fc.property(recordsWith(anyTime), (each) => {
        const read = readRecordsBatch(Reader.from(batchOf(each)));
        expect(read).toMatchObject({ magic: 2, attributes: 0, ...identity, lastOffsetDelta: each.length - 1 });
        expect(read.maxTimestamp).toBe(BigInt(Math.max(...each.map(({ timestampMs }) => timestampMs))));
        const found = read.records.map(({ key, value, timestampDelta, headers: given }) => ({
          key,
          value,
          timestampMs: Number(read.firstTimestamp + timestampDelta),
          headers: given.map(([name, text]) => [String(name), String(text)]),
        }));
        expect(found).toEqual(
          each.map(({ key, value, timestampMs, headers: given = {} }) => ({
            key,
            value,
            timestampMs,
            headers: Object.entries(given),
          })),
        );
      }),
    );
  });

  it('is byte for byte what the library writes, but for the leader epoch, which the broker sets', () => {
    fc.assert(
      fc.property(recordsWith(nearTime), fc.boolean(), (each, isTransactional) => {
        const { producerId, producerEpoch, firstSequence } = identity;
        const sequences = { getWithDefault: () => firstSequence };
        const transactionalId = isTransactional ? 'an-id' : undefined;
        const options = { producerId, producerEpoch, sequences, transactionalId, partitionLeaderEpoch: -1 };
        const expected = createRecordsBatch(messagesOf(each) as never, options as never).buffer;
        expect(batchOf(each, isTransactional).equals(expected)).toBe(true);
      }),
    );
  });
});

describe('a Produce request', () => {
  it('is byte for byte what the library writes for several topics and partitions', () => {
    const topics = fc.array(
      fc.record({
        name: fc.stringMatching(/^[a-z.]{1,200}$/),
        partitions: fc.array(recordsWith(nearTime), { minLength: 1, maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(topics, fc.option(fc.stringMatching(/^[a-z/.]{1,200}$/)), (each, transactionalId) => {
        const unique = new Map(each.map(({ name, partitions }) => [name, partitions]));
        const placed: TopicRecords[] = Array.from(unique, ([topic, partitions]) => ({
          topic,
          partitions: partitions.map((batch, partition) => ({
            partition,
            records: batch.map((record) => ({ ...record, topic, partition })),
            identity: { ...identity, firstSequence: 0, isTransactional: transactionalId !== null },
          })),
        }));
        const messages = placed.flatMap(({ partitions }) => partitions.flatMap((batch) => messagesOf(batch.records)));
        const { producerId, producerEpoch } = identity;
        const options = { producerId, producerEpoch, transactionalId, partitionLeaderEpoch: -1 };
        const expected = produceV9.createRequest(-1, 5000, messages as never, options as never) as Writer;
        expect(encodeProduceRequest(placed, 5000, transactionalId).equals(expected.buffer)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
