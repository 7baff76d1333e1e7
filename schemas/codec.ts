import type { Type } from 'avsc';
import type { RecordName, RecordOf } from './generated/events.ts';
import { avroType, recordSchemas } from './records.ts';

const magicByte = 0;
/** Confluent wire format: a zero byte, the schema id as 4 bytes big-endian, then the Avro body. */
export const wireHeaderBytes = 5;

const initialScratchBytes = 16 * 1024;

/**
 * Writes records of one schema in Confluent wire format.
 *
 * Encodes into a scratch buffer that grows to the largest record seen and is copied out, which halves the cost of avsc's
 * `toBuffer`; so one instance serves one thread and is not re-entrant (avsc never calls back).
 */
export class RecordEncoder<N extends RecordName> {
  readonly #type: Type;
  #scratch = Buffer.allocUnsafe(initialScratchBytes);

  constructor(record: N, schemaId: number) {
    this.#type = avroType(recordSchemas[record]);
    this.#writeHeader(schemaId);
  }

  /** @throws {Error} when `value` does not fit the schema, which the types should have prevented. */
  encode(value: RecordOf[N]): Buffer {
    let end = this.#type.encode(value, this.#scratch, wireHeaderBytes);
    if (end < 0) {
      const schemaId = this.#scratch.readUInt32BE(1);
      this.#scratch = Buffer.allocUnsafe(2 * (this.#scratch.length - end));
      this.#writeHeader(schemaId);
      end = this.#type.encode(value, this.#scratch, wireHeaderBytes);
    }
    const record = Buffer.allocUnsafe(end);
    this.#scratch.copy(record, 0, 0, end);
    return record;
  }

  #writeHeader(schemaId: number): void {
    this.#scratch.writeUInt8(magicByte, 0);
    this.#scratch.writeUInt32BE(schemaId, 1);
  }
}

/** The same bytes in wire format with another schema id, which is written into them. */
export function withSchemaId(record: Buffer, schemaId: number): Buffer {
  record.writeUInt32BE(schemaId, 1);
  return record;
}

/** An Avro body in wire format, its schema id 0. */
export function inWireFormat(body: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(wireHeaderBytes, magicByte), body]);
}

/** The schema id that a record was written with, or `undefined` when the bytes are not in Confluent wire format. */
export function schemaIdOf(record: Buffer): number | undefined {
  return record.length > wireHeaderBytes && record[0] === magicByte ? record.readUInt32BE(1) : undefined;
}

/** Decodes a record in wire format with the type it was written with. */
export function decodeAs(writer: Type, record: Buffer): unknown {
  return writer.fromBuffer(record.subarray(wireHeaderBytes));
}

/** Reads records of one schema as a later or earlier version of it has them; made by `Type.createResolver`. */
export type Resolver = ReturnType<Type['createResolver']>;

/** Decodes a record in wire format as `reader`, by the resolver from the type it was written with. */
export function decodeResolved(reader: Type, resolver: Resolver, record: Buffer): unknown {
  return reader.fromBuffer(record.subarray(wireHeaderBytes), resolver);
}
