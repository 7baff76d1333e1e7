import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../vectors/avro');

/** The bytes that an independent writer made of a value, with one version of a record's schema. */
export interface Golden {
  /** `<Record>.v<N>`. */
  readonly name: string;
  readonly record: string;
  readonly version: number;
  /** In Confluent wire format. */
  readonly bytes: Buffer;
  readonly value: Readonly<Record<string, unknown>>;
}

/** All golden bytes, of whatever records there are. */
export function goldenBytes(): readonly Golden[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.hex'))
    .map((file) => {
      const name = file.slice(0, -'.hex'.length);
      const [record = '', version = ''] = name.split('.v');
      const hex = readFileSync(join(folder, file), 'utf8').replaceAll(/\s/g, '');
      return { name, record, version: Number(version), bytes: Buffer.from(hex, 'hex'), value: valueOfVector(name) };
    });
}

function valueOfVector(name: string): Readonly<Record<string, unknown>> {
  const text = readFileSync(join(folder, `${name}.json`), 'utf8');
  return JSON.parse(text, (_name, value: unknown) => (isBuffer(value) ? Buffer.from(value.data) : value)) as Readonly<
    Record<string, unknown>
  >;
}

function isBuffer(value: unknown): value is { readonly type: 'Buffer'; readonly data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}
