import { readFileSync } from 'node:fs';
import avro from 'avsc';
import { type RecordName, recordNames } from './generated/events.ts';

/** A record schema as it stands in `avro/<name>.avsc` and goes to the registry. */
export interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly namespace: string;
  readonly doc: string;
  readonly fields: readonly FieldSchema[];
}

export interface FieldSchema {
  readonly name: string;
  readonly type: unknown;
  readonly doc: string;
  readonly default?: unknown;
}

/** The schema of one record, parsed anew at each call. */
function readRecordSchema(name: RecordName): RecordSchema {
  return JSON.parse(readFileSync(new URL(`avro/${name}.avsc`, import.meta.url), 'utf8')) as RecordSchema;
}

/** The schemas of all records, in the order of the generated types. */
export const recordSchemas: Readonly<Record<RecordName, RecordSchema>> = Object.fromEntries(
  recordNames.map((name) => [name, readRecordSchema(name)]),
) as Record<RecordName, RecordSchema>;

/** The avsc type of a schema; logical types stay plain numbers, so times are epoch milliseconds. */
export function avroType(schema: RecordSchema): avro.Type {
  return avro.Type.forSchema(schema as unknown as avro.Schema);
}
