import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithms } from '@platformatic/kafka';
import { AppError } from '../../errors.ts';
import { checksumOf } from '../checksum.ts';

/** A record as it was read; key, value and headers are parts of the answer that it came in. */
export interface ConsumedRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** The last of each name; absent when there are none. */
  readonly headers?: Readonly<Record<string, Buffer>>;
}

/** A transaction that was aborted: records of this producer from this offset on, up to its end, do not count. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export interface ReadRecords {
  readonly records: readonly ConsumedRecord[];
  /** Offset behind the last whole batch, also one that is empty by compaction, aborted or a control record. */
  readonly nextOffset: number;
}

/** Records as the broker has sent them are not what was written. */
export class RecordBatchDamagedError extends AppError {
  override readonly name = 'RecordBatchDamagedError';
  readonly code = 'KAFKA_BATCH_DAMAGED';
  readonly retryable = true;
}

const headerBytes = 61;
/** Bytes of base offset and length, which the length does not count. */
const lengthEnd = 12;
const checkedFrom = 21;
const magic = 2;
const compressionMask = 0x07;
const logAppendTime = 0x08;
const transactional = 0x10;
const control = 0x20;
const abortMarker = 0;

/**
 * Reads what a Fetch answer holds of one partition (record batches of magic 2): a batch that is cut off at the end, records before
 * `from`, control records and those of aborted transactions are left out.
 *
 * @param place what is read, for errors.
 * @throws {RecordBatchDamagedError}
 */
export function readRecordBatches(
  bytes: Buffer,
  from: number,
  aborted: readonly AbortedTransaction[],
  place: string,
): ReadRecords {
  const records: ConsumedRecord[] = [];
  const pending = aborted.toSorted((one, other) => Number(one.firstOffset - other.firstOffset));
  const abortedIds = new Set<bigint>();
  let nextOffset = from;
  let at = 0;
  while (at + headerBytes <= bytes.length) {
    const end = at + lengthEnd + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    const base = Number(bytes.readBigInt64BE(at));
    if (bytes[at + 16] !== magic) throw damaged(place, base, `its format is ${bytes[at + 16]}, expected ${magic}`);
    if (checksumOf(bytes.subarray(at + checkedFrom, end)) !== bytes.readUInt32BE(at + 17)) {
      throw damaged(place, base, 'its checksum is wrong');
    }
    const attributes = bytes.readInt16BE(at + 21);
    const lastOffset = base + bytes.readInt32BE(at + 23);
    const producerId = bytes.readBigInt64BE(at + 43);
    while (pending[0] !== undefined && Number(pending[0].firstOffset) <= lastOffset) {
      abortedIds.add((pending.shift() as AbortedTransaction).producerId);
    }
    if ((attributes & control) !== 0) {
      if (isAbortMarker(bytes, at + headerBytes)) abortedIds.delete(producerId);
    } else if ((attributes & transactional) === 0 || !abortedIds.has(producerId)) {
      readBatch(bytes, at, end, base, attributes, from, records, place);
    }
    nextOffset = Math.max(nextOffset, lastOffset + 1);
    at = end;
  }
  return { records, nextOffset };
}

function readBatch(
  bytes: Buffer,
  begin: number,
  end: number,
  base: number,
  attributes: number,
  from: number,
  records: ConsumedRecord[],
  place: string,
): void {
  const isAppendTime = (attributes & logAppendTime) !== 0;
  const baseMs = Number(bytes.readBigInt64BE(begin + 27));
  const latestMs = Number(bytes.readBigInt64BE(begin + 35));
  const count = bytes.readInt32BE(begin + 57);
  const body = decompress(bytes.subarray(begin + headerBytes, end), attributes & compressionMask);
  const cursor = new Cursor(body);
  try {
    for (let index = 0; index < count; index += 1) {
      const recordEnd = cursor.varint() + cursor.at;
      cursor.at += 1;
      const timestampMs = baseMs + cursor.varint();
      const offset = base + cursor.varint();
      const key = cursor.bytes();
      const value = cursor.bytes();
      if (offset >= from) {
        const headers = cursor.headers();
        const record = { offset, timestampMs: isAppendTime ? latestMs : timestampMs, key, value };
        records.push(headers === undefined ? record : { ...record, headers });
      }
      cursor.at = recordEnd;
    }
  } catch (error) {
    if (error instanceof RangeError) throw damaged(place, base, 'a record ends beyond it');
    throw error;
  }
}

/** Reads the variable-length parts of records, one after the other. */
class Cursor {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** A signed integer (zigzag) of up to 2^53 in magnitude. @throws {RangeError} behind the end. */
  varint(): number {
    let byte = this.#byte();
    let raw = byte & 0x7f;
    for (let factor = 0x80; byte >= 0x80; factor *= 0x80) {
      byte = this.#byte();
      raw += (byte & 0x7f) * factor;
    }
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const begin = this.at;
    this.at += length;
    if (this.at > this.#bytes.length) throw new RangeError();
    return this.#bytes.subarray(begin, this.at);
  }

  headers(): Record<string, Buffer> | undefined {
    const count = this.varint();
    if (count === 0) return undefined;
    const headers: [string, Buffer][] = [];
    for (let index = 0; index < count; index += 1) {
      const name = this.bytes()?.toString() ?? '';
      headers.push([name, this.bytes() ?? Buffer.alloc(0)]);
    }
    return Object.fromEntries(headers);
  }

  #byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new RangeError();
    return byte;
  }
}

/** The key of a control record says what it ends: version (16 bits), then 0 for an abort, 1 for a commit. */
function isAbortMarker(bytes: Buffer, at: number): boolean {
  const cursor = new Cursor(bytes.subarray(at));
  cursor.varint();
  cursor.at += 1;
  cursor.varint();
  cursor.varint();
  return cursor.bytes()?.readInt16BE(2) === abortMarker;
}

function decompress(bytes: Buffer, compression: number): Buffer {
  switch (compression) {
    case 0:
      return bytes;
    case 1:
      return gunzipSync(bytes);
    case 2:
      return Buffer.from(compressionsAlgorithms.snappy.decompressSync(bytes));
    case 3:
      return Buffer.from(compressionsAlgorithms.lz4.decompressSync(bytes));
    default:
      return zstdDecompressSync(bytes);
  }
}

function damaged(place: string, offset: number, why: string): RecordBatchDamagedError {
  return new RecordBatchDamagedError(`${place}: the batch at offset ${offset} is damaged: ${why}`);
}
