import { checksumOf } from '../checksum.ts';
import type { OutgoingRecord } from '../ports.ts';
import { varintBytes, writeVarint } from './varint.ts';

/** Who wrote a batch, and as which in the row of its partition: by it a broker knows a batch that it has already. */
export interface BatchIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Number of the first record, from 0 to 2^31 - 1. */
  readonly firstSequence: number;
  /** Whether it belongs to the open transaction of its producer. */
  readonly isTransactional?: boolean;
}

/** Bytes before the records of a batch (Kafka protocol, RecordBatch, magic 2). */
const headerBytes = 61;
const magic = 2;
const transactionalAttribute = 0x10;
/** Where the part that the checksum covers begins. */
const checkedFrom = 21;

/** Bytes of the record batch that `records` make. */
export function recordBatchBytes(records: readonly OutgoingRecord[]): number {
  const baseMs = records[0]?.timestampMs ?? 0;
  let bytes = headerBytes;
  let delta = 0;
  for (const record of records) {
    const body = bodyBytes(record, baseMs, delta);
    bytes += varintBytes(body) + body;
    delta += 1;
  }
  return bytes;
}

/**
 * Writes `records`, at least one, as a record batch at `at`, without compression, and returns where it ends.
 *
 * Format: Kafka protocol, RecordBatch with magic 2. Timestamps are the times of creation.
 */
export function writeRecordBatch(
  target: Buffer,
  at: number,
  records: readonly OutgoingRecord[],
  { producerId, producerEpoch, firstSequence, isTransactional = false }: BatchIdentity,
): number {
  const baseMs = records[0]?.timestampMs ?? 0;
  let latestMs = baseMs;
  let end = at + headerBytes;
  let delta = 0;
  for (const record of records) {
    if (record.timestampMs > latestMs) latestMs = record.timestampMs;
    end = writeRecord(target, end, record, baseMs, delta);
    delta += 1;
  }
  // The broker sets offset and leader epoch.
  target.fill(0, at, at + 8);
  target.writeInt32BE(end - at - 12, at + 8);
  target.writeInt32BE(-1, at + 12);
  target[at + 16] = magic;
  target.writeInt16BE(isTransactional ? transactionalAttribute : 0, at + 21);
  target.writeInt32BE(records.length - 1, at + 23);
  writeInt64(target, baseMs, at + 27);
  writeInt64(target, latestMs, at + 35);
  target.writeBigInt64BE(producerId, at + 43);
  target.writeInt16BE(producerEpoch, at + 51);
  target.writeInt32BE(firstSequence, at + 53);
  target.writeInt32BE(records.length, at + 57);
  target.writeUInt32BE(checksumOf(target.subarray(at + checkedFrom, end)), at + 17);
  return end;
}

/** Bytes of a record after its length. */
function bodyBytes({ key, value, timestampMs, headers }: OutgoingRecord, baseMs: number, delta: number): number {
  return (
    1 +
    varintBytes(timestampMs - baseMs) +
    varintBytes(delta) +
    varintBytes(key.length) +
    key.length +
    (value === null ? 1 : varintBytes(value.length) + value.length) +
    (headers === undefined ? 1 : headersBytes(headers))
  );
}

function writeRecord(target: Buffer, at: number, record: OutgoingRecord, baseMs: number, delta: number): number {
  const { key, value, timestampMs, headers } = record;
  let end = writeVarint(target, bodyBytes(record, baseMs, delta), at);
  target[end++] = 0;
  end = writeVarint(target, timestampMs - baseMs, end);
  end = writeVarint(target, delta, end);
  end = writeBytes(target, key, end);
  end = value === null ? writeVarint(target, -1, end) : writeBytes(target, value, end);
  if (headers !== undefined) return writeHeaders(target, headers, end);
  target[end++] = 0;
  return end;
}

function writeBytes(target: Buffer, bytes: Uint8Array, at: number): number {
  const from = writeVarint(target, bytes.length, at);
  target.set(bytes, from);
  return from + bytes.length;
}

function headersBytes(headers: Readonly<Record<string, string>>): number {
  let count = 0;
  let bytes = 0;
  for (const name in headers) {
    count += 1;
    bytes += textBytes(name) + textBytes(headers[name] as string);
  }
  return varintBytes(count) + bytes;
}

function writeHeaders(target: Buffer, headers: Readonly<Record<string, string>>, at: number): number {
  let end = writeVarint(target, Object.keys(headers).length, at);
  for (const name in headers) {
    end = writeText(target, name, end);
    end = writeText(target, headers[name] as string, end);
  }
  return end;
}

function textBytes(text: string): number {
  const bytes = Buffer.byteLength(text);
  return varintBytes(bytes) + bytes;
}

function writeText(target: Buffer, text: string, at: number): number {
  const from = writeVarint(target, Buffer.byteLength(text), at);
  return from + target.write(text, from);
}

/** Writes an integer of up to 2^53 in magnitude as 64 bits. */
function writeInt64(target: Buffer, value: number, at: number): void {
  target.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
  target.writeUInt32BE(value >>> 0, at + 4);
}
