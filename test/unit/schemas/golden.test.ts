import { join } from 'node:path';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { decodeAs, decodeResolved, RecordEncoder, schemaIdOf } from '../../../schemas/codec.ts';
import type { RecordName, RecordOf } from '../../../schemas/generated/events.ts';
import { avroType, type RecordSchema, recordSchemas } from '../../../schemas/records.ts';
import { type Topic, topics } from '../../../schemas/topics.ts';
import { SchemaHistory } from '../../../tools/evolution/history.ts';
import { eventsOf, someRules, vector, verdictCommand } from '../../support/callbacks.ts';
import { type Golden, goldenBytes } from '../../support/golden.ts';
import { sample, schemaChanges } from '../../support/schema-changes.ts';

const history = new SchemaHistory(join(import.meta.dirname, '../../../schemas/history'));
const golden = goldenBytes();

/** Every released version of every record. */
const released = history.records.flatMap((record) =>
  history.versions(record).map(({ version, schema }) => ({ name: `${record}.v${version}`, record, version, schema })),
);

function schemaOf({ name }: Golden): RecordSchema {
  const found = released.find((version) => version.name === name);
  if (found === undefined) throw new Error(`${name} is no released version`);
  return found.schema;
}

/** `bytes`, written with one schema, as a reader with another one sees them. */
function readAs(reader: RecordSchema, writer: RecordSchema, bytes: Buffer): Record<string, unknown> {
  const [readerType, writerType] = [avroType(reader), avroType(writer)];
  return { ...(decodeResolved(readerType, readerType.createResolver(writerType), bytes) as object) };
}

/** What a reader knows of a value: its own fields, those that the value has not by their defaults. */
function knownTo(reader: RecordSchema, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    reader.fields.map((field) => [field.name, Object.hasOwn(value, field.name) ? value[field.name] : field.default]),
  );
}

describe('golden bytes', () => {
  it('are there for every released version, and of no other', () => {
    expect(golden.map(({ name }) => name).toSorted()).toEqual(released.map(({ name }) => name).toSorted());
  });

  it.each(golden)('$name has them say every field, with the schema of its time', (each) => {
    expect(schemaIdOf(each.bytes)).toBe(1);
    const schema = schemaOf(each);
    expect(Object.keys(each.value).toSorted()).toEqual(schema.fields.map(({ name }) => name).toSorted());
    expect({ ...(decodeAs(avroType(schema), each.bytes) as object) }).toEqual(each.value);
  });

  it.each(golden)('$name is read by the reader of today', (each) => {
    const today = recordSchemas[each.record as RecordName];
    expect(readAs(today, schemaOf(each), each.bytes)).toEqual(knownTo(today, each.value));
  });

  it.each(
    Object.values<Topic>(topics)
      .filter(({ compatibility }) => compatibility === 'FULL_TRANSITIVE')
      .flatMap(({ record }) => released.filter((version) => version.record === record)),
  )('of today are read by the reader of $name', ({ record, schema }) => {
    const name = record as RecordName;
    const value =
      golden
        .filter((each) => each.record === record)
        .toSorted((a, b) => a.version - b.version)
        .at(-1)?.value ?? {};
    const bytes = new RecordEncoder(name, 1).encode(value as unknown as RecordOf[RecordName]);
    expect(readAs(schema, recordSchemas[name], bytes)).toEqual(knownTo(schema, value));
  });

  it('are what the encoder writes today', () => {
    const newest = new Map(golden.toSorted((a, b) => a.version - b.version).map((each) => [each.record, each]));
    for (const { record, bytes, value } of newest.values()) {
      const encoder = new RecordEncoder(record as RecordName, 1);
      expect(encoder.encode(value as unknown as RecordOf[RecordName]).toString('hex'), record).toBe(
        bytes.toString('hex'),
      );
    }
  });

  it('of a verdict are what becomes of the sample of its callback', () => {
    const [event] = eventsOf({ command: verdictCommand, body: vector(verdictCommand) }, someRules());
    expect(event?.value).toEqual(golden.find(({ name }) => name === 'ContentVerdict.v1')?.value);
  });
});

describe('a change that the gate takes', () => {
  const value = {
    id: 'i',
    count: -7,
    total: 2 ** 40,
    at: 1_700_000_000_000,
    word: 'w',
    size: 3,
    note: 'n',
    tags: ['a', 'b'],
    kind: 'B',
    mood: 'GOOD',
  };
  const taken = schemaChanges.filter(({ gate }) => gate.full === 'takes');
  const bytesOf = (schema: RecordSchema, of: object): Buffer => {
    return Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), avroType(schema).toBuffer(of)]);
  };

  it.each(taken)('($what) lets new readers read old bytes, and old readers new ones', ({ to }) => {
    expect(readAs(to, sample, bytesOf(sample, value))).toEqual(knownTo(to, value));
    const today = knownTo(to, value);
    expect(readAs(sample, to, bytesOf(to, today))).toEqual(knownTo(sample, today));
  });

  it('(a symbol that one side does not know) is read as the default symbol', () => {
    const change = (what: string) => schemaChanges.find((each) => each.what === what)?.to ?? sample;
    const more = change('a new symbol of an enum with a default');
    expect(readAs(sample, more, bytesOf(more, { ...value, mood: 'MIXED' }))).toEqual({ ...value, mood: 'UNKNOWN' });
    const fewer = change('a removed symbol of an enum with a default');
    expect(readAs(fewer, sample, bytesOf(sample, { ...value, mood: 'BAD' }))).toEqual({ ...value, mood: 'UNKNOWN' });
  });

  it('that only backward readers take lets new readers read old bytes', () => {
    const backward = schemaChanges.filter(({ gate }) => gate.full === 'refuses' && gate.backward === 'takes');
    expect(backward.length).toBeGreaterThan(3);
    for (const { what, to } of backward) {
      expect(readAs(to, sample, bytesOf(sample, value)), what).toEqual(knownTo(to, value));
      const forward = () => avroType(sample).createResolver(avro.Type.forSchema(to as unknown as avro.Schema));
      expect(forward, what).toThrow();
    }
  });
});
