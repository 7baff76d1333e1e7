import { join } from 'node:path';
import { freePort } from '../../dev/ports.ts';
import { type Environment, runProgram } from '../../dev/run-program.ts';
import { serviceNodeFlags } from '../../lib/node-flags.ts';
import type { Candidate, Missing, Surroundings } from './candidate.ts';
import { topicPrefix } from './cluster.ts';
import { benthos, vertx } from './peers.ts';
import { sdkAppId, token } from './request.ts';
import type { Launch } from './server.ts';
import { temporaryFolder } from './temporary-folder.ts';

const bare: Candidate = {
  name: 'bare',
  title: 'bare Fastify',
  launch: async ({ env, nodeOptions = [] }) => {
    const port = await freePort(undefined);
    const args = [...nodeOptions, join(import.meta.dirname, 'bare.ts'), String(port)];
    return { program: process.execPath, args, env: production(env), port };
  },
};

const afternoonTopic = `${topicPrefix}afternoon`;

const afternoon: Candidate = {
  name: 'afternoon',
  title: 'afternoon version',
  topic: afternoonTopic,
  launch: async ({ env, cluster, createTopic, nodeOptions = [] }) => {
    await createTopic(afternoonTopic);
    const port = await freePort(undefined);
    const { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: registry } = cluster;
    const args = [join(import.meta.dirname, 'afternoon.ts'), String(port), brokers, registry, afternoonTopic];
    return { program: process.execPath, args: [...nodeOptions, ...args], env: production(env), port };
  },
};

/** Ingest with everything switched on and `settings` beside it. */
function imwatch(name: string, title: string, settings: Readonly<Record<string, string>> = {}): Candidate {
  const prefix = `${topicPrefix}${name}`;
  const launch = async ({ env, cluster, resources, nodeOptions = [] }: Surroundings): Promise<Launch | Missing> => {
    const unknown = await unknownAmong(Object.keys(settings), env);
    if (unknown.length > 0) return { missing: `imwatch has no setting ${unknown.join(', ')}` };
    const [port, management] = [await freePort(undefined), await freePort(undefined)];
    return {
      program: process.execPath,
      args: [...serviceNodeFlags, ...nodeOptions, program, 'ingest'],
      env: {
        ...production(env),
        ...cluster,
        IMWATCH_ENV_FILE: '',
        IMWATCH_SDK_APP_ID: String(sdkAppId),
        IMWATCH_TOKEN: token,
        IMWATCH_TOPIC_PREFIX: prefix,
        IMWATCH_LOG_LEVEL: 'warn',
        INGEST_HOST: '127.0.0.1',
        INGEST_PORT: String(port),
        INGEST_MANAGEMENT_PORT: String(management),
        INGEST_SPOOL_DIR: temporaryFolder(resources),
        ...settings,
      },
      port,
      isReady: async () => {
        const answer = await fetch(`http://127.0.0.1:${management}/ready`);
        return ((await answer.json()) as { status: string }).status === 'ready';
      },
    };
  };
  return { name, title, isOurs: true, topic: `${prefix}.verdict.v1`, launch };
}

const program = join(import.meta.dirname, '../../cli/start.js');

/** Those of `names` that imwatch does not know: it would take no notice of them, and something else would be measured. */
async function unknownAmong(names: readonly string[], env: Environment): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const lines: string[] = [];
  const onLine = (line: string): void => void lines.push(line);
  const { signal } = new AbortController();
  await runProgram(process.execPath, [program, 'config', '--json'], { env, onLine, signal });
  const known = JSON.parse(lines.join('\n')) as Record<string, unknown>;
  return names.filter((name) => !(name in known));
}

function production(env: Environment): Environment {
  return { ...env, NODE_ENV: 'production' };
}

/** The limit: every ratio is one to it. */
export const limit = bare;

/** Everything that can be compared, in the order in which it is shown. */
export const roster: readonly Candidate[] = [
  bare,
  afternoon,
  imwatch('imwatch', 'imwatch'),
  imwatch('cloudevents', 'imwatch, CloudEvents headers', { IMWATCH_CLOUDEVENTS: 'true' }),
  { ...imwatch('kafkajs', 'imwatch, kafkajs', { KAFKA_PRODUCER: 'kafkajs' }), onRequest: true },
  { ...imwatch('platformatic', 'imwatch, @platformatic/kafka', { KAFKA_PRODUCER: 'platformatic' }), onRequest: true },
  { ...imwatch('logged', 'imwatch, a log line each', { IMWATCH_LOG_LEVEL: 'info' }), onRequest: true },
  benthos,
  vertx,
];
