import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordSchema } from '../../schemas/records.ts';
import type { Version } from './gate.ts';

/** A schema without its documentation texts, the names of each object in order: equal for equal meaning. */
export function withoutDocs(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutDocs);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(([name, value]) => !(name === 'doc' && typeof value === 'string'));
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, withoutDocs(value)]),
  );
}

/** SHA-256 of what a schema means; unlike Avro's own fingerprint it has defaults and logical types in it. */
export function fingerprintOf(schema: RecordSchema): string {
  return hash('sha256', JSON.stringify(withoutDocs(schema)));
}

/** The released versions of all records: `<Record>.v<N>.avsc` and their fingerprints in a folder. */
export class SchemaHistory {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Names of the records that have been released, also of those that are gone. */
  get records(): readonly string[] {
    return [...new Set(this.#files().map(({ record }) => record))];
  }

  /** The versions of a record, oldest first. */
  versions(record: string): readonly Version[] {
    return this.#files()
      .filter((file) => file.record === record)
      .map(({ name, version }) => ({ version, schema: JSON.parse(this.#read(name)) as RecordSchema }))
      .toSorted((a, b) => a.version - b.version);
  }

  /** What was changed, taken away or added by hand, a sentence each. */
  get tampering(): readonly string[] {
    const fingerprints = this.#fingerprints();
    const names = this.#files().map(({ record, version }) => `${record}.v${version}`);
    return [
      ...this.records.flatMap((record) =>
        this.versions(record).flatMap(({ version, schema }, index) => {
          const name = `${record}.v${version}`;
          if (version !== index + 1) return [`${name}.avsc follows v${index}, expected v${index + 1}`];
          if (schema.name !== record) return [`${name}.avsc is a schema of ${schema.name}`];
          if (fingerprints[name] === undefined)
            return [`${name}.avsc has no fingerprint, expected versions to be written by npm run schemas:release`];
          return fingerprints[name] === fingerprintOf(schema)
            ? []
            : [`${name}.avsc was changed; restore it, released versions never change`];
        }),
      ),
      ...Object.keys(fingerprints)
        .filter((name) => !names.includes(name))
        .map((name) => `${name}.avsc is gone; restore it, released versions are kept for ever`),
    ];
  }

  write({ version, schema }: Version): void {
    const name = `${schema.name}.v${version}`;
    writeFileSync(join(this.#folder, `${name}.avsc`), `${JSON.stringify(schema, null, 2)}\n`);
    const all = { ...this.#fingerprints(), [name]: fingerprintOf(schema) };
    const sorted = Object.fromEntries(
      Object.entries(all).toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
    );
    writeFileSync(join(this.#folder, fingerprintsFile), `${JSON.stringify(sorted, null, 2)}\n`);
  }

  #files(): readonly { readonly name: string; readonly record: string; readonly version: number }[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const [, record, version] = /^(\w+)\.v(\d+)\.avsc$/.exec(name) ?? [];
      return record === undefined ? [] : [{ name, record, version: Number(version) }];
    });
  }

  #fingerprints(): Readonly<Record<string, string>> {
    return existsSync(join(this.#folder, fingerprintsFile)) ? JSON.parse(this.#read(fingerprintsFile)) : {};
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }
}

const fingerprintsFile = 'fingerprints.json';
