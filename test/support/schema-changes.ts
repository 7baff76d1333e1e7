import type { FieldSchema, RecordSchema } from '../../schemas/records.ts';

/** A record with a field of every kind. */
export const sample: RecordSchema = {
  type: 'record',
  name: 'Sample',
  namespace: 'im.v1',
  doc: 'A record for tests.',
  fields: [
    { name: 'id', type: 'string', doc: 'An id.' },
    { name: 'count', type: 'int', doc: 'A number.' },
    { name: 'total', type: 'long', doc: 'A large number.' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' }, doc: 'A time.' },
    { name: 'word', type: ['null', 'string'], default: null, doc: 'A word, or null.' },
    { name: 'size', type: ['null', 'int'], default: null, doc: 'A number, or null.' },
    { name: 'note', type: 'string', default: '', doc: 'A text with a default.' },
    { name: 'tags', type: { type: 'array', items: 'string' }, default: [], doc: 'Texts.' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] }, doc: 'One of two.' },
    {
      name: 'mood',
      type: { type: 'enum', name: 'Mood', symbols: ['GOOD', 'BAD', 'UNKNOWN'], default: 'UNKNOWN' },
      doc: 'One of three, with a default.',
    },
  ],
};

type Verdict = 'takes' | 'refuses';

/** What gate and registry say of a change, by the level of the topic. */
export interface SchemaChange {
  readonly what: string;
  readonly to: RecordSchema;
  readonly gate: { readonly full: Verdict; readonly backward: Verdict };
  /** Where it differs from the gate, which is then stricter. */
  readonly registry?: { readonly full?: Verdict; readonly backward?: Verdict };
  /** Why the gate is stricter. */
  readonly because?: string;
}

function adding(field: Omit<FieldSchema, 'doc'>): RecordSchema {
  return { ...sample, fields: [...sample.fields, { ...field, doc: 'New.' }] };
}

function without(name: string): RecordSchema {
  return { ...sample, fields: sample.fields.filter((field) => field.name !== name) };
}

function changing(name: string, change: Readonly<Record<string, unknown>>): RecordSchema {
  return { ...sample, fields: sample.fields.map((field) => (field.name === name ? { ...field, ...change } : field)) };
}

const both = (verdict: Verdict) => ({ full: verdict, backward: verdict });
const onlyBackward = { full: 'refuses', backward: 'takes' } as const;

export const schemaChanges: readonly SchemaChange[] = [
  { what: 'nothing', to: sample, gate: both('takes') },
  { what: 'a documentation text', to: changing('id', { doc: 'Another text.' }), gate: both('takes') },
  { what: 'the order of fields', to: { ...sample, fields: sample.fields.toReversed() }, gate: both('takes') },
  { what: 'a new field with a default', to: adding({ name: 'added', type: 'int', default: 0 }), gate: both('takes') },
  {
    what: 'a new nullable field',
    to: adding({ name: 'added', type: ['null', 'string'], default: null }),
    gate: both('takes'),
  },
  { what: 'a new field without a default', to: adding({ name: 'added', type: 'string' }), gate: both('refuses') },
  { what: 'a removed field that had a default', to: without('note'), gate: both('takes') },
  { what: 'a removed field that had none', to: without('count'), gate: onlyBackward },
  { what: 'a renamed field', to: changing('count', { name: 'number' }), gate: both('refuses') },
  {
    what: 'a renamed field with its old name as an alias',
    to: changing('count', { name: 'number', aliases: ['count'] }),
    gate: both('refuses'),
    registry: { backward: 'takes' },
    because: 'readers differ in what they make of aliases',
  },
  { what: 'int to string', to: changing('count', { type: 'string' }), gate: both('refuses') },
  { what: 'int to long', to: changing('count', { type: 'long' }), gate: onlyBackward },
  { what: 'long to int', to: changing('total', { type: 'int' }), gate: both('refuses') },
  {
    what: 'string to bytes',
    to: changing('id', { type: 'bytes' }),
    gate: both('refuses'),
    registry: both('takes'),
    because: 'bytes need not be a text',
  },
  {
    what: 'a list to a map',
    to: changing('tags', { type: { type: 'map', values: 'string' }, default: {} }),
    gate: both('refuses'),
  },
  { what: 'a field that becomes nullable', to: changing('id', { type: ['null', 'string'] }), gate: onlyBackward },
  {
    what: 'a field that is not nullable any more',
    to: changing('word', { type: 'string', default: '' }),
    gate: both('refuses'),
  },
  { what: 'one more type in a union', to: changing('word', { type: ['null', 'string', 'long'] }), gate: onlyBackward },
  {
    what: 'one more type in a union, before one that can be promoted to it',
    to: changing('size', { type: ['null', 'double', 'int'] }),
    gate: both('refuses'),
    registry: { backward: 'takes' },
    because: 'some readers would take a whole number for the first',
  },
  {
    what: 'a new symbol of an enum without a default',
    to: changing('kind', { type: { type: 'enum', name: 'Kind', symbols: ['A', 'B', 'C'] } }),
    gate: onlyBackward,
  },
  {
    what: 'a new symbol of an enum with a default',
    to: changing('mood', {
      type: { type: 'enum', name: 'Mood', symbols: ['GOOD', 'BAD', 'UNKNOWN', 'MIXED'], default: 'UNKNOWN' },
    }),
    gate: both('takes'),
  },
  {
    what: 'a removed symbol of an enum without a default',
    to: changing('kind', { type: { type: 'enum', name: 'Kind', symbols: ['A'] } }),
    gate: both('refuses'),
  },
  {
    what: 'a removed symbol of an enum with a default',
    to: changing('mood', { type: { type: 'enum', name: 'Mood', symbols: ['GOOD', 'UNKNOWN'], default: 'UNKNOWN' } }),
    gate: both('takes'),
  },
  {
    what: 'a renamed enum',
    to: changing('kind', { type: { type: 'enum', name: 'Sort', symbols: ['A', 'B'] } }),
    gate: both('refuses'),
  },
  { what: 'a renamed record', to: { ...sample, name: 'Example' }, gate: both('refuses') },
  {
    what: 'another namespace',
    to: { ...sample, namespace: 'im.v2' },
    gate: both('refuses'),
    registry: both('takes'),
    because: 'readers differ in whether they compare namespaces',
  },
  {
    what: 'another default',
    to: changing('note', { default: 'none' }),
    gate: both('refuses'),
    registry: both('takes'),
    because: 'a value that is not there would be another for old readers than for new ones',
  },
  {
    what: 'a default that is no value of its field',
    to: adding({ name: 'added', type: 'string', default: null }),
    gate: both('refuses'),
  },
  {
    what: 'a default of the second type of its union',
    to: adding({ name: 'added', type: ['null', 'string'], default: 'x' }),
    gate: both('refuses'),
    registry: both('takes'),
    because: 'readers of Avro before 1.12 refuse such a schema',
  },
  {
    what: 'a time that becomes a plain number',
    to: changing('at', { type: 'long' }),
    gate: both('refuses'),
    registry: both('takes'),
    because: 'the number would not say any more that it is a time',
  },
];
