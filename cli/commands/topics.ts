import { Command } from 'commander';
import type { Admin } from 'kafkajs';
import { readSettings, type Sources } from '../../lib/config/read.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { differences, readTopics } from '../../lib/kafka/topic-admin.ts';
import { silentLogger } from '../../lib/logger.ts';
import { provisionSchemas, provisionTopics, registeredSchemas, topicPlans } from '../../schemas/provisioning.ts';
import { createSchemaRegistry, type SchemaRegistry } from '../../schemas/registry.ts';
import { clusterProblems, clusterSettings } from '../../schemas/settings.ts';
import { subjectOf, topicIds, topicName, topics } from '../../schemas/topics.ts';
import { exitCodes } from '../exit-codes.ts';
import { bold, green, print, printJson, red, table } from '../output.ts';
import { commandSources } from '../settings.ts';

interface Options {
  readonly json?: boolean;
}

export function topicsCommand(): Command {
  const command = new Command('topics').description('the topics of imwatch and their schemas');
  command
    .command('create')
    .description('create what is missing and register the schemas; what exists stays as it is')
    .option('--json', 'as JSON')
    .action((options: Options) => withTopics((tools) => create(tools, options)));
  command
    .command('diff')
    .description('compare topics and schemas with what they should be; exit code 1 when they differ')
    .option('--json', 'as JSON')
    .action((options: Options) => withTopics((tools) => diff(tools, options)));
  command
    .command('describe')
    .description('list topics with partitions, settings, schemas and how many records they hold')
    .option('--json', 'as JSON')
    .action((options: Options) => withTopics((tools) => describe(tools, options)));
  return command;
}

interface Tools {
  readonly admin: Admin;
  readonly registry: SchemaRegistry;
  readonly values: ReturnType<typeof readTopicValues>;
}

function readTopicValues(sources: Sources) {
  return readSettings(clusterSettings, sources, clusterProblems);
}

async function withTopics(run: (tools: Tools) => Promise<void>): Promise<void> {
  const values = readTopicValues(await commandSources());
  const kafka = createKafka(values, 'imwatch-topics', silentLogger);
  await withAdmin(kafka, (admin) => run({ admin, registry: createSchemaRegistry(values), values }));
}

async function create({ admin, registry, values }: Tools, { json }: Options): Promise<void> {
  const created = await provisionTopics(admin, values);
  const schemas = await provisionSchemas(registry, values.topicPrefix);
  const rows = topicIds.map((id) => {
    const topic = topicName(values.topicPrefix, id);
    return { topic, created: created.includes(topic), schemaId: schemas.get(id) ?? null };
  });
  if (json === true) printJson(rows);
  else {
    print(table(rows.map((row) => [row.topic, row.created ? green('created') : 'exists', `schema ${row.schemaId}`])));
  }
}

async function diff({ admin, registry, values }: Tools, { json }: Options): Promise<void> {
  const plans = await topicPlans(admin, values);
  const states = await readTopics(admin, plans);
  const schemas = await registeredSchemas(registry, values.topicPrefix);
  const found = await Promise.all(
    topicIds.map(async (id, index) => {
      const plan = plans[index];
      if (plan === undefined) throw new Error(`No plan for ${id}`);
      const state = states.get(plan.topic);
      const lines = state === undefined ? ['is missing'] : [...differences(plan, state)];
      if (schemas.get(id) === undefined) lines.push('its schema is not registered');
      else {
        const level = await registry.compatibilityOf(subjectOf(plan.topic));
        const expected = topics[id].compatibility;
        if (level !== expected) lines.push(`compatibility is ${level ?? 'not set'}, expected ${expected}`);
      }
      return { topic: plan.topic, differences: lines };
    }),
  );
  if (json === true) printJson(found);
  else {
    for (const { topic, differences: lines } of found) {
      print(
        lines.length === 0
          ? `${topic}  ${green('as it should be')}`
          : [bold(topic), ...lines.map((line) => `  ${red(line)}`)].join('\n'),
      );
    }
  }
  if (found.some(({ differences: lines }) => lines.length > 0)) process.exitCode = exitCodes.problem;
}

async function describe({ admin, registry, values }: Tools, { json }: Options): Promise<void> {
  const plans = await topicPlans(admin, values);
  const states = await readTopics(admin, plans);
  const schemas = await registeredSchemas(registry, values.topicPrefix);
  const found = await Promise.all(
    topicIds.map(async (id) => {
      const { record, purpose, keyedBy, writtenBy, compatibility } = topics[id];
      const topic = topicName(values.topicPrefix, id);
      const state = states.get(topic);
      const records = state === undefined ? 0 : await recordCount(admin, topic);
      const about = { topic, record, purpose, keyedBy, writtenBy, compatibility, schemaId: schemas.get(id) ?? null };
      return { ...about, exists: state !== undefined, records, ...state };
    }),
  );
  if (json === true) {
    printJson(found);
    return;
  }
  for (const topic of found) {
    print(bold(topic.topic));
    print(
      table([
        ['  holds', `${topic.record}: ${topic.purpose}`],
        ['  key', `<sdkAppId>/ and the first of: ${topic.keyedBy}`],
        ['  written by', topic.writtenBy],
        ['  schema', `${topic.schemaId ?? 'not registered'} (${topic.compatibility})`],
        [
          '  partitions',
          topic.exists ? `${topic.partitions}, ${topic.replication} replica(s)` : 'the topic is missing',
        ],
        ['  records', String(topic.records)],
        ...Object.entries(topic.config ?? {}).map(([name, value]) => [`  ${name}`, value]),
      ]),
    );
    print();
  }
}

async function recordCount(admin: Admin, topic: string): Promise<number> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
}
