import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RecordSchema, recordSchemas } from '../../../schemas/records.ts';
import { type Topic, topics } from '../../../schemas/topics.ts';
import { type Current, historyProblems } from '../../../tools/evolution/check.ts';
import { refusals, type Version } from '../../../tools/evolution/gate.ts';
import { fingerprintOf, SchemaHistory } from '../../../tools/evolution/history.ts';
import { sample, schemaChanges } from '../../support/schema-changes.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const historyFolder = join(import.meta.dirname, '../../../schemas/history');
const released: readonly Version[] = [{ version: 1, schema: sample }];

describe('the gate', () => {
  it.each(schemaChanges)('says of $what what it should', ({ to, gate }) => {
    const verdict = (level: Topic['compatibility']) =>
      refusals(to, released, level).length === 0 ? 'takes' : 'refuses';
    expect({ full: verdict('FULL_TRANSITIVE'), backward: verdict('BACKWARD_TRANSITIVE') }).toEqual(gate);
  });

  it('is stricter than the registry in what is said why, and never laxer', () => {
    const documented = readFileSync(join(historyFolder, 'README.md'), 'utf8');
    const differing = schemaChanges.filter(({ registry }) => registry !== undefined);
    for (const { gate, registry, because } of differing) {
      expect(because).toBeTruthy();
      expect(documented).toContain(because);
      for (const level of ['full', 'backward'] as const)
        if (gate[level] === 'takes') expect(registry?.[level] ?? 'takes').toBe('takes');
    }
  });

  it('names record, field, rule, and what to do', () => {
    const to = { ...sample, fields: [...sample.fields.slice(1), { name: 'added', type: 'string', doc: 'New.' }] };
    expect(refusals(to, released, 'FULL_TRANSITIVE')).toEqual([
      "Sample.added: today's schema cannot read records of v1 (field without default): the writer does not have the field, and the reader has no default for it. Give the new field a default, null where it may be absent.",
      "Sample.id: readers of v1 cannot read today's records (field without default): the writer does not have the field, and the reader has no default for it. Keep the field: it had no default.",
    ]);
  });

  it('compares every version and not only the newest', () => {
    const second = { ...sample, fields: sample.fields.filter(({ name }) => name !== 'note') };
    // Between v2 and v3 it is a new field; what v1 knows under the name is something else.
    const third = { ...second, fields: [...second.fields, { name: 'note', type: 'int', default: 0, doc: 'New.' }] };
    const versions = [...released, { version: 2, schema: second }];
    expect(refusals(third, versions.slice(1), 'FULL_TRANSITIVE')).toEqual([]);
    expect(refusals(third, versions, 'FULL_TRANSITIVE')).toMatchObject([
      expect.stringMatching(/^Sample.note: today's schema cannot read records of v1 \(type\)/),
      expect.stringMatching(/^Sample.note: readers of v1 cannot read today's records \(type\)/),
    ]);
  });

  it('looks into lists, maps, unions and records within records', () => {
    const inner = (type: string) => ({
      type: 'record',
      name: 'Inner',
      fields: [
        { name: 'deep', type },
        { name: 'self', type: ['null', 'Inner'], default: null },
      ],
    });
    const outer = (type: string): RecordSchema => ({
      ...sample,
      fields: [
        { name: 'all', type: { type: 'map', values: { type: 'array', items: ['null', inner(type)] } }, doc: 'All.' },
      ],
    });
    expect(refusals(outer('long'), [{ version: 1, schema: outer('long') }], 'FULL_TRANSITIVE')).toEqual([]);
    expect(refusals(outer('string'), [{ version: 1, schema: outer('long') }], 'BACKWARD_TRANSITIVE')).toEqual([
      "Sample.all{}[].deep: today's schema cannot read records of v1 (type): the reader has string, the writer long. Keep the type, and add a new field for the new one.",
    ]);
  });
});

const current: readonly Current[] = Object.values<Topic>(topics).map(({ record, compatibility }) => {
  return { schema: recordSchemas[record], compatibility };
});

/** A copy of the released versions that a test may harm. */
function aHistory(): { readonly folder: string; readonly history: SchemaHistory } {
  const folder = makeTestFolder();
  cpSync(historyFolder, folder, { recursive: true });
  return { folder, history: new SchemaHistory(folder) };
}

describe('the released versions', () => {
  it('hold every schema of today, which every older one takes', () => {
    expect(historyProblems(current, new SchemaHistory(historyFolder))).toEqual([]);
  });

  it('are asked for when a schema has changed, by the command that writes them; documentation may change', () => {
    const { history } = aHistory();
    const [first, ...others] = current;
    if (first === undefined) throw new Error('expected a schema');
    const { schema } = first;
    const added = { name: 'added', type: ['null', 'string'], default: null, doc: 'New, null when absent.' };
    const grown = { ...first, schema: { ...schema, fields: [...schema.fields, added] } };
    expect(historyProblems([grown, ...others], history)).toEqual([
      expect.stringMatching(new RegExp(`^${schema.name} is not v\\d+ any more: run \`npm run schemas:release\``)),
    ]);
    history.write({ version: history.versions(schema.name).length + 1, schema: grown.schema });
    expect(historyProblems([grown, ...others], history)).toEqual([]);
    expect(
      historyProblems([{ ...first, schema: { ...schema, doc: 'Other words.' } }, ...others], aHistory().history),
    ).toEqual([]);
    expect(historyProblems(current, history)[0]).toContain('is not v');
  });

  it('are asked for when a record is new, and kept when one is gone', () => {
    const { history } = aHistory();
    const problems = historyProblems(
      [...current.slice(1), { schema: sample, compatibility: 'FULL_TRANSITIVE' }],
      history,
    );
    expect(problems).toEqual([
      expect.stringContaining('Sample is not released: run `npm run schemas:release`'),
      expect.stringContaining(`${current[0]?.schema.name} is gone`),
    ]);
  });

  it.each<[string, (file: string) => void, RegExp]>([
    [
      'changed',
      (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('"eventId"', '"id"')),
      /^DeadLetter.v1.avsc was changed; restore it/,
    ],
    ['taken away', (file) => rmSync(file), /^DeadLetter.v1.avsc is gone; restore it/],
    ['added by hand', (file) => cpSync(file, file.replace('v1', 'v2')), /^DeadLetter.v2.avsc has no fingerprint/],
    ['skipped', (file) => cpSync(file, file.replace('v1', 'v3')), /^DeadLetter.v3.avsc follows v1, expected v2/],
    [
      'mixed up',
      (file) => cpSync(file.replace('DeadLetter', 'Rollup'), file),
      /^DeadLetter.v1.avsc is a schema of Rollup/,
    ],
  ])('that are %s are found', (_what, harm, message) => {
    const { folder, history } = aHistory();
    harm(join(folder, 'DeadLetter.v1.avsc'));
    expect(historyProblems(current, history)).toContainEqual(expect.stringMatching(message));
  });

  it('have fingerprints of what they mean: not of documentation, but of defaults and logical types', () => {
    const of = (what: string) => fingerprintOf(schemaChanges.find((change) => change.what === what)?.to ?? sample);
    expect(of('a documentation text')).toBe(fingerprintOf(sample));
    expect(of('another default')).not.toBe(fingerprintOf(sample));
    expect(of('a time that becomes a plain number')).not.toBe(fingerprintOf(sample));
  });
});
