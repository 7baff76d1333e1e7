import type { Type } from 'avsc';
import { messageOf } from '../../lib/errors.ts';
import { decodeResolved, type Resolver, schemaIdOf } from '../../schemas/codec.ts';
import type { RecordName, RecordOf } from '../../schemas/generated/events.ts';
import { avroType, recordSchemas } from '../../schemas/records.ts';
import { SchemaRefusedError, type SchemaRegistry } from '../../schemas/registry.ts';

export type Decoded<V> = { readonly value: V } | { readonly problem: string };

/** Turns the bytes of records into values. */
export interface Decoder<V> {
  /**
   * The value of a record, or why it has none.
   *
   * @throws {RegistryUnavailableError} when its schema is not known yet and cannot be asked for.
   */
  decode(bytes: Buffer | null): Promise<Decoded<V>>;
  /** As `decode`, at once; `undefined` when the record's schema has to be asked for. */
  decodeKnown(bytes: Buffer | null): Decoded<V> | undefined;
}

type Reading = { readonly resolver: Resolver } | { readonly problem: string };

/** Decodes records of one kind, whichever version of its schema they were written with. */
export class EventDecoder<N extends RecordName, V = RecordOf[N]> implements Decoder<V> {
  readonly #registry: SchemaRegistry;
  readonly #record: N;
  readonly #reader: Type;
  /** By writer's schema id; what cannot be read is remembered by its reason, an id that the registry does not know is not. */
  readonly #readings = new Map<number, Reading>();

  /** @param wanted fields that values have; those that are left out are skipped, which costs a fraction of decoding them. */
  constructor(record: N, registry: SchemaRegistry, wanted?: ReadonlySet<string>) {
    this.#record = record;
    this.#registry = registry;
    const schema = recordSchemas[record];
    const fields = schema.fields.filter(({ name }) => wanted?.has(name) ?? true);
    this.#reader = avroType({ ...schema, fields });
  }

  async decode(bytes: Buffer | null): Promise<Decoded<V>> {
    const known = this.decodeKnown(bytes);
    const schemaId = bytes === null ? undefined : schemaIdOf(bytes);
    if (known !== undefined || bytes === null || schemaId === undefined) return known ?? { problem: 'no record' };
    return this.#read(bytes, await this.#learn(schemaId));
  }

  decodeKnown(bytes: Buffer | null): Decoded<V> | undefined {
    if (bytes === null) return { problem: 'the record has no value' };
    const schemaId = schemaIdOf(bytes);
    if (schemaId === undefined) return { problem: 'not in Confluent wire format' };
    const reading = this.#readings.get(schemaId);
    return reading && this.#read(bytes, reading);
  }

  #read(bytes: Buffer, reading: Reading): Decoded<V> {
    if ('problem' in reading) return reading;
    try {
      return { value: decodeResolved(this.#reader, reading.resolver, bytes) as V };
    } catch (error) {
      return { problem: `the Avro body cannot be read: ${messageOf(error)}` };
    }
  }

  async #learn(schemaId: number): Promise<Reading> {
    try {
      const reading = this.#readingOf(schemaId, await this.#registry.writerType(schemaId));
      this.#readings.set(schemaId, reading);
      return reading;
    } catch (error) {
      if (error instanceof SchemaRefusedError) return { problem: messageOf(error) };
      throw error;
    }
  }

  #readingOf(schemaId: number, writer: Type): Reading {
    try {
      return { resolver: this.#reader.createResolver(writer) };
    } catch (error) {
      return { problem: `schema ${schemaId} cannot be read as ${this.#record}: ${messageOf(error)}` };
    }
  }
}
