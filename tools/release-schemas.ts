// Keeps today's schemas as released versions in schemas/history, where they differ from the newest ones; with --check says what
// is wrong (exit code 1). --replace <Record> writes its newest version again, as long as no registry has seen that.
import { join, relative } from 'node:path';
import { type RecordSchema, recordSchemas } from '../schemas/records.ts';
import { type Topic, topics } from '../schemas/topics.ts';
import { type Current, changeProblems, historyProblems } from './evolution/check.ts';
import { fingerprintOf, SchemaHistory } from './evolution/history.ts';

const folder = join(import.meta.dirname, '../schemas/history');

/** Every record, once, with the compatibility of its topics. */
const current: readonly Current[] = new Map(
  Object.values<Topic>(topics).map(({ record, compatibility }) => {
    return [record, { schema: recordSchemas[record], compatibility }];
  }),
)
  .values()
  .toArray();

function fail(problems: readonly string[]): void {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
}

function write(version: number, schema: RecordSchema): void {
  new SchemaHistory(folder).write({ version, schema });
  process.stdout.write(`${relative(process.cwd(), join(folder, `${schema.name}.v${version}.avsc`))} written\n`);
}

function release(): void {
  const history = new SchemaHistory(folder);
  const changed = current.filter(({ schema }) => {
    const newest = history.versions(schema.name).at(-1);
    return newest === undefined || fingerprintOf(newest.schema) !== fingerprintOf(schema);
  });
  const problems = [...history.tampering, ...changed.flatMap((each) => changeProblems(each, history))];
  fail(problems);
  if (problems.length > 0) return;
  for (const { schema } of changed) write((history.versions(schema.name).at(-1)?.version ?? 0) + 1, schema);
}

function replace(record: string | undefined): void {
  const found = current.find(({ schema }) => schema.name === record);
  const history = new SchemaHistory(folder);
  const newest = history.versions(record ?? '').at(-1);
  if (found === undefined || newest === undefined) {
    fail([`--replace ${record ?? ''}: expected one of ${history.records.join(', ')}`]);
    return;
  }
  write(newest.version, found.schema);
}

const [option, name] = process.argv.slice(2);
if (option === '--check') fail(historyProblems(current, new SchemaHistory(folder)));
else if (option === '--replace') replace(name);
else if (option === undefined) release();
else fail([`${option}: expected --check, --replace <Record> or nothing`]);
