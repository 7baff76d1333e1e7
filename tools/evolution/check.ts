import type { RecordSchema } from '../../schemas/records.ts';
import type { Compatibility } from '../../schemas/topics.ts';
import { refusals } from './gate.ts';
import { fingerprintOf, type SchemaHistory } from './history.ts';

/** A record as it is today. */
export interface Current {
  readonly schema: RecordSchema;
  /** That of the record's topic. */
  readonly compatibility: Compatibility;
}

/** Why the schemas of today cannot be released or are not, a sentence each; empty when all is well. */
export function historyProblems(current: readonly Current[], history: SchemaHistory): readonly string[] {
  const names = current.map(({ schema }) => schema.name);
  return [
    ...history.tampering,
    ...current.flatMap((each) => [...changeProblems(each, history), ...unreleased(each, history)]),
    ...history.records
      .filter((record) => !names.includes(record))
      .map(
        (record) => `${record} is gone, expected its schema in schemas/avro: what is on its topic must stay readable`,
      ),
  ];
}

/** Why today's schema may not follow the released ones. */
export function changeProblems({ schema, compatibility }: Current, history: SchemaHistory): readonly string[] {
  return refusals(schema, history.versions(schema.name), compatibility);
}

function unreleased({ schema }: Current, history: SchemaHistory): readonly string[] {
  const newest = history.versions(schema.name).at(-1);
  if (newest !== undefined && fingerprintOf(newest.schema) === fingerprintOf(schema)) return [];
  const what = newest === undefined ? 'is not released' : `is not v${newest.version} any more`;
  return [
    `${schema.name} ${what}: run \`npm run schemas:release\`, add its golden bytes (test/vectors/avro/README.md) and say so in CHANGELOG.md`,
  ];
}
