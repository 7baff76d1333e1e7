import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../dev/ports.ts';
import type { Environment } from '../../dev/run-program.ts';
import { type ClusterAddresses, topicPrefix } from './cluster.ts';
import { sdkAppId, token } from './request.ts';
import type { Launch } from './server.ts';

/** What a server is given to start. */
export interface Surroundings {
  readonly cluster: ClusterAddresses;
  /** Variables of this process. */
  readonly env: Environment;
  /** Lets go of what the servers leave behind. */
  readonly resources: AsyncDisposableStack;
  /** Options of Node, for servers that run on it. */
  readonly nodeOptions?: readonly string[];
}

/** One of those that are compared. */
export interface Candidate {
  /** What it is called on the command line. */
  readonly name: string;
  readonly title: string;
  /** Topic that has a record for each request answered 200; not given: it writes none. */
  readonly topic?: string;
  /** Measured only when asked for with `--with` or `--only`. */
  readonly onRequest?: true;
  readonly launch: (surroundings: Surroundings) => Promise<Launch>;
}

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
  launch: async ({ env, cluster, nodeOptions = [] }) => {
    const port = await freePort(undefined);
    const { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: registry } = cluster;
    const args = [join(import.meta.dirname, 'afternoon.ts'), String(port), brokers, registry, afternoonTopic];
    return { program: process.execPath, args: [...nodeOptions, ...args], env: production(env), port };
  },
};

/** Ingest with everything switched on and `settings` beside it. */
function imwatch(
  name: string,
  title: string,
  settings: Readonly<Record<string, string>>,
): Omit<Candidate, 'onRequest'> {
  const prefix = `${topicPrefix}${name}`;
  const launch = async ({ env, cluster, resources, nodeOptions = [] }: Surroundings): Promise<Launch> => {
    const [port, management] = [await freePort(undefined), await freePort(undefined)];
    const spool = mkdtempSync(join(tmpdir(), 'imwatch-bench-spool-'));
    resources.defer(() => rmSync(spool, { recursive: true, force: true }));
    return {
      program: process.execPath,
      args: [...nodeOptions, join(import.meta.dirname, '../../cli/imwatch.ts'), 'ingest'],
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
        INGEST_SPOOL_DIR: spool,
        ...settings,
      },
      port,
      isReady: async () => {
        const answer = await fetch(`http://127.0.0.1:${management}/ready`);
        return ((await answer.json()) as { status: string }).status === 'ready';
      },
    };
  };
  return { name, title, topic: `${prefix}.verdict.v1`, launch };
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
  imwatch('imwatch', 'imwatch', {}),
  imwatch('cloudevents', 'imwatch, CloudEvents headers', { IMWATCH_CLOUDEVENTS: 'true' }),
  { ...imwatch('kafkajs', 'imwatch, kafkajs', { KAFKA_PRODUCER: 'kafkajs' }), onRequest: true },
  { ...imwatch('platformatic', 'imwatch, @platformatic/kafka', { KAFKA_PRODUCER: 'platformatic' }), onRequest: true },
  { ...imwatch('logged', 'imwatch, a log line each', { IMWATCH_LOG_LEVEL: 'info' }), onRequest: true },
];
