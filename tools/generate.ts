// Rewrites what is made from other files, or with --check says what is not up to date (exit code 1).
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { settingsCatalogue } from '../cli/settings.ts';
import { commands } from '../ingest/tencent/commands.ts';
import type { RecordSchema } from '../schemas/records.ts';
import { topics } from '../schemas/topics.ts';
import { generateCatalogue } from './generate-catalogue.ts';
import { answerTable, commandTable } from './generate-commands.ts';
import { reasonsTable } from './generate-reasons.ts';
import { settingsEnvFile, settingsPage, settingsTable } from './generate-settings.ts';
import { generateTypes, withEnvelope } from './generate-types.ts';

const root = join(import.meta.dirname, '..');

/** Records in the order in which they are documented: that of the topic table. */
const recordNames = [...new Set(Object.values(topics).map((topic) => topic.record))];

/** Settings that a first reader needs. */
const firstSettings = [
  'IMWATCH_SDK_APP_ID',
  'IMWATCH_TOKEN',
  'KAFKA_BROKERS',
  'SCHEMA_REGISTRY_URL',
  'INGEST_PORT',
  'INGEST_ALLOW_UNSIGNED',
  'IMWATCH_TEXT',
  'IMWATCH_HOME',
];

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function readSchema(name: string): RecordSchema {
  return JSON.parse(read(`schemas/avro/${name}.avsc`)) as RecordSchema;
}

/** Every generated file with the text that it should have. */
function generated(): ReadonlyMap<string, string> {
  const envelope = readSchema('Envelope');
  const records = recordNames.map((name) => withEnvelope(readSchema(name), envelope));
  return new Map([
    ...records.map((record) => [`schemas/avro/${record.name}.avsc`, `${JSON.stringify(record, null, 2)}\n`] as const),
    ['schemas/generated/events.ts', generateTypes(records, envelope)],
    ['schemas/README.md', generateCatalogue(records, envelope)],
    ['docs/settings.md', settingsPage(settingsCatalogue)],
    ['.env.example', settingsEnvFile(settingsCatalogue)],
    [
      'README.md',
      withBlock(
        withBlock(read('README.md'), 'settings', settingsTable(settingsCatalogue, firstSettings)),
        'commands',
        commandTable(commands),
      ),
    ],
    ['docs/tencent-console.md', withBlock(read('docs/tencent-console.md'), 'answers', answerTable(commands))],
    ['docs/dead-letters.md', withBlock(read('docs/dead-letters.md'), 'reasons', reasonsTable())],
  ]);
}

/** `text` with what stands between the comments `name:begin` and `name:end` replaced. */
function withBlock(text: string, name: string, content: string): string {
  const block = new RegExp(`(<!-- ${name}:begin[^>]*-->\n)[\\s\\S]*?(<!-- ${name}:end -->)`);
  if (!block.test(text)) throw new Error(`No block "${name}" to put text into`);
  return text.replace(block, (_whole, begin: string, end: string) => `${begin}${content}${end}`);
}

const check = process.argv.includes('--check');
const stale = [...generated()].filter(([path, text]) => readIfAny(path) !== text);
for (const [path, text] of stale) {
  if (check)
    process.stderr.write(`${relative(process.cwd(), join(root, path))} is not up to date; run \`npm run generate\`\n`);
  else writeFileSync(join(root, path), text);
}
if (check && stale.length > 0) process.exitCode = 1;

function readIfAny(path: string): string | undefined {
  try {
    return read(path);
  } catch {
    return undefined;
  }
}
