import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecordBatches } from '../../../lib/kafka/consume/record-batch-reader.ts';
import type { OutgoingRecord } from '../../../lib/kafka/ports.ts';
import { recordBatchBytes, writeRecordBatch } from '../../../lib/kafka/produce/record-batch.ts';

const place = { topic: 'im.verdict.v1', partition: 0 };

function aRecord(value: string | null, more: Partial<OutgoingRecord> = {}): OutgoingRecord {
  return {
    ...place,
    key: Buffer.from('k'),
    value: value === null ? null : Buffer.from(value),
    timestampMs: 1e12,
    ...more,
  };
}

interface Wanted {
  readonly producerId?: bigint;
  readonly isTransactional?: boolean;
}

/** A batch as a broker has it: as it was written, with its base offset. */
function aBatch(
  base: number,
  records: readonly OutgoingRecord[],
  { producerId = -1n, isTransactional = false }: Wanted = {},
) {
  const batch = Buffer.alloc(recordBatchBytes(records));
  writeRecordBatch(batch, 0, records, { producerId, producerEpoch: 0, firstSequence: 0, isTransactional });
  batch.writeBigInt64BE(BigInt(base), 0);
  return batch;
}

/** Changes a batch, and gives it the checksum that it has then. */
function changed(batch: Buffer, change: (batch: Buffer) => Buffer | undefined): Buffer {
  const after = change(batch) ?? batch;
  after.writeInt32BE(after.length - 12, 8);
  after.writeUInt32BE(crc32c(after.subarray(21)), 17);
  return after;
}

function compressed(batch: Buffer, code: number, compress: (bytes: Buffer) => Buffer): Buffer {
  return changed(batch, (plain) => {
    plain.writeInt16BE(code, 21);
    return Buffer.concat([plain.subarray(0, 61), compress(plain.subarray(61))]);
  });
}

/** What ends a transaction: a batch of one record, whose key is version 0 and 0 for an abort, 1 for a commit. */
function aMarker(base: number, producerId: bigint, isCommit: boolean): Buffer {
  const marker = aBatch(base, [{ ...aRecord('\0\0\0\0\0\0'), key: Buffer.from([0, 0, 0, isCommit ? 1 : 0]) }], {
    producerId,
  });
  return changed(marker, (batch) => void batch.writeInt16BE(0x30, 21));
}

function read(bytes: Buffer, from = 0, aborted: Parameters<typeof readRecordBatches>[2] = []) {
  const { records, nextOffset } = readRecordBatches(bytes, from, aborted, 'im.verdict.v1/0');
  return { values: records.map(({ offset, value }) => [offset, value?.toString() ?? null]), nextOffset };
}

describe('records', () => {
  it('are those that were written, whatever they are', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    const headers = fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), fc.string(), {
      minKeys: 1,
    });
    const someRecords = fc.array(
      fc.record({
        key: bytes,
        value: fc.option(bytes),
        timestampMs: fc.integer({ min: 1.6e12, max: 1.8e12 }),
        headers: fc.option(headers, { nil: undefined }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(someRecords, fc.nat({ max: 2 ** 40 }), (each, base) => {
        const written = each.map(({ headers: given, ...record }) => ({
          ...place,
          ...record,
          ...(given && { headers: given }),
        }));
        const { records, nextOffset } = readRecordBatches(aBatch(base, written), 0, [], 'a topic');
        const texts = records.map(({ headers: given, ...record }) => ({
          ...record,
          headers: given && Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value.toString()])),
        }));
        expect(texts).toEqual(
          each.map(({ headers: given, ...record }, index) => ({
            offset: base + index,
            ...record,
            headers: given && { ...given },
          })),
        );
        expect(nextOffset).toBe(base + each.length);
      }),
    );
  });

  it('of a batch that is cut off are left for the next time', () => {
    const [one, two] = [aBatch(0, [aRecord('a')]), aBatch(1, [aRecord('b'), aRecord('c')])];
    const both = Buffer.concat([one, two]);
    for (let length = 0; length < both.length; length += 1) {
      const isOneWhole = length >= one.length;
      expect(read(both.subarray(0, length))).toEqual({
        values: isOneWhole ? [[0, 'a']] : [],
        nextOffset: isOneWhole ? 1 : 0,
      });
    }
    expect(read(both).nextOffset).toBe(3);
  });

  it('before the offset that was asked for are left out', () => {
    expect(read(aBatch(5, [aRecord('a'), aRecord('b'), aRecord('c')]), 6)).toEqual({
      values: [
        [6, 'b'],
        [7, 'c'],
      ],
      nextOffset: 8,
    });
  });

  it.each([
    ['gzip', 1, gzipSync],
    ['zstd', 4, zstdCompressSync],
  ] as const)('are read when they are compressed with %s', (_name, code, compress) => {
    expect(read(compressed(aBatch(3, [aRecord('a'), aRecord('b')]), code, compress)).values).toEqual([
      [3, 'a'],
      [4, 'b'],
    ]);
  });

  it('have the time of the broker where the topic says so', () => {
    const batch = changed(aBatch(0, [aRecord('a'), aRecord('b')]), (bytes) => {
      bytes.writeInt16BE(0x08, 21);
      bytes.writeBigInt64BE(1_700_000_000_000n, 35);
      return undefined;
    });
    const { records } = readRecordBatches(batch, 0, [], 'a topic');
    expect(records.map(({ timestampMs }) => timestampMs)).toEqual([1_700_000_000_000, 1_700_000_000_000]);
  });

  it('of aborted transactions do not count, those of others do, up to the end of each', () => {
    const mine = { producerId: 7n, isTransactional: true };
    const bytes = Buffer.concat([
      aBatch(0, [aRecord('committed')], mine),
      aMarker(1, 7n, true),
      aBatch(2, [aRecord('aborted')], mine),
      aBatch(3, [aRecord('other')], { producerId: 8n, isTransactional: true }),
      aBatch(4, [aRecord('plain')], { producerId: 7n }),
      aMarker(5, 7n, false),
      aBatch(6, [aRecord('again')], mine),
      aMarker(7, 7n, true),
    ]);
    expect(read(bytes, 0, [{ producerId: 7n, firstOffset: 2n }])).toEqual({
      values: [
        [0, 'committed'],
        [3, 'other'],
        [4, 'plain'],
        [6, 'again'],
      ],
      nextOffset: 8,
    });
  });

  it('may all have been compacted away: the next offset is behind them', () => {
    const batch = changed(aBatch(3, [aRecord('a')]), (bytes) => {
      bytes.writeInt32BE(9, 23);
      bytes.writeInt32BE(0, 57);
      return bytes.subarray(0, 61);
    });
    expect(read(batch)).toEqual({ values: [], nextOffset: 13 });
  });
});

describe('a damaged batch', () => {
  it('is named, with what is wrong', () => {
    const batch = aBatch(3, [aRecord('a')]);
    batch[batch.length - 2] = 0xff;
    expect(() => read(batch)).toThrow('im.verdict.v1/0: the batch at offset 3 is damaged: its checksum is wrong');
    const cut = changed(aBatch(3, [aRecord('a')]), (bytes) => bytes.subarray(0, -3));
    expect(() => read(cut)).toThrow('a record ends beyond it');
    const old = aBatch(3, [aRecord('a')]);
    old[16] = 1;
    expect(() => read(old)).toThrow('its format is 1, expected 2');
  });
});
