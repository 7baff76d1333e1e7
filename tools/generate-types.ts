import type { FieldSchema, RecordSchema } from '../schemas/records.ts';

type AvroType = string | AvroType[] | { readonly type: string; readonly [key: string]: unknown };

const primitives: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  double: 'number',
  bytes: 'Buffer',
  null: 'null',
};

/** TypeScript text for `records`: an interface each, enums as unions of their words. */
export function generateTypes(records: readonly RecordSchema[], envelope: RecordSchema): string {
  const names = records.map((record) => record.name);
  const parts = records.flatMap((record) => record.fields.flatMap((field) => nestedRecords(field.type as AvroType)));
  return `${[
    '// Generated from schemas/avro/*.avsc by `npm run generate`; change the schemas instead.',
    '',
    [
      interfaceOf(envelope),
      ...parts.map((part) => interfaceOf(part)),
      ...records.map((record) => eventInterface(record, envelope)),
    ].join('\n\n'),
    '',
    'export interface RecordOf {',
    ...names.map((name) => `  ${name}: ${name};`),
    '}',
    '',
    'export type RecordName = keyof RecordOf;',
    '',
    'export const recordNames = [',
    ...names.map((name) => `  '${name}',`),
    '] as const satisfies readonly RecordName[];',
  ].join('\n')}\n`;
}

function eventInterface(record: RecordSchema, envelope: RecordSchema): string {
  if (!startsWithEnvelope(record, envelope)) return interfaceOf(record);
  return interfaceOf({ ...record, fields: record.fields.slice(envelope.fields.length) }, ' extends Envelope');
}

/** `record` with the envelope's fields as the envelope has them, so that they are written down once. */
export function withEnvelope(record: RecordSchema, envelope: RecordSchema): RecordSchema {
  if (!startsWithEnvelope(record, envelope)) return record;
  return { ...record, fields: [...envelope.fields, ...record.fields.slice(envelope.fields.length)] };
}

/** Whether `record` begins with the fields of the envelope, by name. */
export function startsWithEnvelope(record: RecordSchema, envelope: RecordSchema): boolean {
  return envelope.fields.every((field, index) => record.fields[index]?.name === field.name);
}

function interfaceOf(record: RecordSchema, heritage = ''): string {
  const fields = record.fields.map(
    (field) => `  /** ${field.doc} */\n  readonly ${field.name}: ${typeOf(field, record)};`,
  );
  return [`/** ${record.doc} */`, `export interface ${record.name}${heritage} {`, ...fields, '}'].join('\n');
}

/** The records that are defined inside `type`, innermost first. */
function nestedRecords(type: AvroType): readonly RecordSchema[] {
  if (typeof type === 'string') return [];
  if (Array.isArray(type)) return type.flatMap(nestedRecords);
  if (type.type === 'array') return nestedRecords(type['items'] as AvroType);
  if (type.type !== 'record') return [];
  const record = type as unknown as RecordSchema;
  return [...record.fields.flatMap((field) => nestedRecords(field.type as AvroType)), record];
}

function typeOf(field: FieldSchema, record: RecordSchema): string {
  return tsType(field.type as AvroType, `${record.name}.${field.name}`);
}

function tsType(type: AvroType, where: string): string {
  if (typeof type === 'string') {
    const primitive = primitives[type] ?? /^(?:im\.v1\.)?([A-Z]\w*)$/.exec(type)?.[1];
    if (primitive === undefined) throw new Error(`Cannot generate a type for ${where}: unknown Avro type ${type}`);
    return primitive;
  }
  if (Array.isArray(type)) {
    return [
      ...type.filter((member) => member !== 'null').map((member) => tsType(member, where)),
      ...type.filter((member) => member === 'null'),
    ].join(' | ');
  }
  switch (type.type) {
    case 'array':
      return `readonly ${tsType(type['items'] as AvroType, where)}[]`;
    case 'map':
      return `Readonly<Record<string, ${tsType(type['values'] as AvroType, where)}>>`;
    case 'record':
      return String(type['name']);
    case 'enum':
      return (type['symbols'] as string[]).map((symbol) => `'${symbol}'`).join(' | ');
    default:
      return tsType(type.type, where);
  }
}
