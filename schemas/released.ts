import { readdirSync, readFileSync } from 'node:fs';
import type { RecordName } from './generated/events.ts';
import { avroType, type RecordSchema } from './records.ts';

const folder = new URL('history/', import.meta.url);

/** The released version of a record's schema that has this fingerprint, or `undefined`. */
export function releasedSchema(record: RecordName, fingerprint: Buffer): RecordSchema | undefined {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${record}.v`) && file.endsWith('.avsc'))
    .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as RecordSchema)
    .find((schema) => avroType(schema).fingerprint().equals(fingerprint));
}
