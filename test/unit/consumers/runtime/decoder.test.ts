import type { Type } from 'avsc';
import { describe, expect, it } from 'vitest';
import type { AlertingConfig } from '../../../../consumers/alerting/config.ts';
import { alertingDefinition } from '../../../../consumers/alerting/main.ts';
import type { AnalyticsConfig } from '../../../../consumers/analytics/config.ts';
import { analyticsDefinition } from '../../../../consumers/analytics/main.ts';
import type { PenaltiesConfig } from '../../../../consumers/penalties/config.ts';
import { penaltiesDefinition } from '../../../../consumers/penalties/main.ts';
import { EventDecoder } from '../../../../consumers/runtime/decoder.ts';
import { eventDecoder, type FieldOn } from '../../../../consumers/runtime/definition.ts';
import { RecordEncoder } from '../../../../schemas/codec.ts';
import { avroType, type FieldSchema, type RecordSchema, recordSchemas } from '../../../../schemas/records.ts';
import { RegistryUnavailableError } from '../../../../schemas/registry.ts';
import { aRegistry } from '../../../support/stand-in-registry.ts';
import { aVerdict } from '../../../support/verdicts.ts';

const schema = recordSchemas.ContentVerdict;

/** The type of another version of the schema. */
function version(change: (fields: readonly FieldSchema[]) => readonly FieldSchema[]): Type {
  const other: RecordSchema = { ...schema, fields: change(schema.fields) };
  return avroType(other);
}

/** A record in wire format, written with this type under this id. */
function written(type: Type, schemaId: number, value: object): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(schemaId, 1);
  return Buffer.concat([head, type.toBuffer(value)]);
}

function decoderOf(types: Readonly<Record<number, Type>> = {}) {
  const registry = aRegistry({ 1: avroType(schema), ...types });
  return { registry, decoder: new EventDecoder('ContentVerdict', registry) };
}

const verdict = aVerdict({ eventId: 'e-7', textContent: ['a', 'b'] });
const bytes = new RecordEncoder('ContentVerdict', 1).encode(verdict);

describe('a record', () => {
  it('of the schema that the consumer knows is decoded, its id asked for once', async () => {
    const { registry, decoder } = decoderOf();
    const decoded = await decoder.decode(bytes);
    expect({ ...('value' in decoded && decoded.value) }).toEqual(verdict);
    await decoder.decode(bytes);
    expect(registry.asked).toBe(1);
  });

  it('of an older schema has the defaults of the fields that were added since', async () => {
    const older = version((fields) => fields.filter(({ name }) => name !== 'label' && name !== 'isRestApi'));
    const { decoder } = decoderOf({ 2: older });
    const decoded = await decoder.decode(written(older, 2, verdict));
    expect({ ...('value' in decoded && decoded.value) }).toEqual({ ...verdict, label: null, isRestApi: null });
  });

  it('of a newer schema is decoded without the fields that were added', async () => {
    const newer = version((fields) => [...fields, { name: 'added', type: 'string', doc: 'added', default: '' }]);
    const { decoder } = decoderOf({ 2: newer });
    const decoded = await decoder.decode(written(newer, 2, { ...verdict, added: 'text' }));
    expect({ ...('value' in decoded && decoded.value) }).toEqual(verdict);
  });
});

describe('a consumer that looks at some fields', () => {
  it('gets these and no others', async () => {
    const wanted = new Set(['eventId', 'receivedAt', 'result']);
    const decoder = new EventDecoder('ContentVerdict', aRegistry({ 1: avroType(schema) }), wanted);
    const decoded = await decoder.decode(bytes);
    const { eventId, receivedAt, result } = verdict;
    expect({ ...('value' in decoded && decoded.value) }).toEqual({ eventId, receivedAt, result });
  });

  it.each([
    ['analytics', analyticsDefinition({} as AnalyticsConfig)],
    ['penalties', penaltiesDefinition({ exemptAccounts: [] as readonly string[] } as PenaltiesConfig)],
    ['alerting', alertingDefinition({} as AlertingConfig)],
  ] as const)('%s gets what its processors look at', async (_name, definition) => {
    const decoder = eventDecoder<'verdict', FieldOn<'verdict'>>(definition, aRegistry({ 1: avroType(schema) }));
    const decoded = await decoder.decode(bytes);
    expect(Object.keys('value' in decoded ? decoded.value : {}).toSorted()).toEqual(
      ['eventId', 'receivedAt', ...definition.fields].toSorted(),
    );
  });
});

describe('what is no record', () => {
  it.each([
    ['nothing', null, 'the record has no value'],
    ['an empty value', Buffer.alloc(0), 'not in Confluent wire format'],
    ['JSON', Buffer.from('{"eventId":"e-1"}'), 'not in Confluent wire format'],
    ['a head without a body', Buffer.from([0, 0, 0, 0, 1]), 'not in Confluent wire format'],
  ])('has a problem: %s', async (_what, value, problem) => {
    const { registry, decoder } = decoderOf();
    expect(await decoder.decode(value)).toEqual({ problem });
    expect(registry.asked).toBe(0);
  });

  it.each([
    ['cut off', bytes.subarray(0, 40)],
    ['longer than its schema says', Buffer.concat([bytes, Buffer.from([0])])],
  ])('is a record whose body is %s', async (_what, value) => {
    const { decoder } = decoderOf();
    expect(await decoder.decode(value)).toEqual({
      problem: expect.stringMatching(/^the Avro body cannot be read: ./),
    });
    expect(await decoder.decode(bytes)).toHaveProperty('value');
  });

  it('is a record of another kind, remembered by its schema', async () => {
    const { registry, decoder } = decoderOf({ 5: avroType(recordSchemas.Alert) });
    const problem = expect.stringMatching(/^schema 5 cannot be read as ContentVerdict: ./);
    expect(await decoder.decode(Buffer.from([0, 0, 0, 0, 5, 1]))).toEqual({ problem });
    expect(await decoder.decode(Buffer.from([0, 0, 0, 0, 5, 2]))).toEqual({ problem });
    expect(registry.asked).toBe(1);
  });

  it('is one whose schema the registry does not have, which it may have later', async () => {
    const types: Record<number, Type> = {};
    const registry = aRegistry(types);
    const decoder = new EventDecoder('ContentVerdict', registry);
    expect(await decoder.decode(bytes)).toEqual({ problem: 'The registry has no schema 1' });
    types[1] = avroType(schema);
    expect(await decoder.decode(bytes)).toHaveProperty('value');
  });
});

describe('a registry that is away', () => {
  it('is thrown, for that says nothing of the record; asked again, it may answer', async () => {
    const { registry, decoder } = decoderOf();
    registry.failure = new RegistryUnavailableError('away');
    await expect(decoder.decode(bytes)).rejects.toThrow(RegistryUnavailableError);
    registry.failure = undefined;
    expect(await decoder.decode(bytes)).toHaveProperty('value');
  });

  it('is not asked for schemas that are known', async () => {
    const { registry, decoder } = decoderOf();
    await decoder.decode(bytes);
    registry.failure = new RegistryUnavailableError('away');
    expect(await decoder.decode(bytes)).toHaveProperty('value');
  });
});
