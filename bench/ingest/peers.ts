import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findJava, findMaven } from '../../dev/embedded/java.ts';
import { makeFolder } from '../../dev/folders.ts';
import { freePort } from '../../dev/ports.ts';
import { type Environment, runProgram } from '../../dev/run-program.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Candidate, Missing, Surroundings } from './candidate.ts';
import { topicPrefix } from './cluster.ts';
import { say } from './say.ts';
import { registerVerdict } from './verdict-schema.ts';

const benthosTopic = `${topicPrefix}benthos`;

/** Benthos 4.27, the ancestor of Redpanda Connect, as `benthos/config.yaml` says. */
export const benthos: Candidate = {
  name: 'benthos',
  title: 'Benthos 4.27',
  topic: benthosTopic,
  launch: async ({ env, cluster, buildFolder, createTopic }) => {
    const go = goProgram(env);
    if (go === undefined) return { missing: 'Go is not installed' };
    const source = join(import.meta.dirname, 'benthos');
    const program = join(buildFolder, 'benthos');
    const failure = await build('Benthos', go, ['-C', source, 'build', '-o', program, '.'], { env, buildFolder });
    if (failure !== undefined) return failure;
    await createTopic(benthosTopic);
    await registerVerdict(cluster.SCHEMA_REGISTRY_URL, benthosTopic);
    const port = await freePort(undefined);
    const variables = { ...cluster, PORT: String(port), TOPIC: benthosTopic };
    return { program, args: ['-c', join(source, 'config.yaml')], env: { ...env, ...variables }, port };
  },
};

const vertxTopic = `${topicPrefix}vertx`;

/** What the JVM can reach: the body as it came, without schema and key. */
export const vertx: Candidate = {
  name: 'vertx',
  title: 'Vert.x, Java client',
  topic: vertxTopic,
  launch: async ({ env, cluster, buildFolder, createTopic }) => {
    const [java, maven] = [await findJava(env), findMaven(env)];
    if ('missing' in java) return java;
    if ('missing' in maven) return maven;
    const folder = join(buildFolder, 'vertx');
    const pom = join(import.meta.dirname, 'vertx/pom.xml');
    const args = ['-B', '-q', '-f', pom, `-DbuildFolder=${folder}`, 'compile', 'dependency:copy-dependencies'];
    const failure = await build('Vert.x', maven.path, args, { env, buildFolder });
    if (failure !== undefined) return failure;
    await createTopic(vertxTopic);
    const port = await freePort(undefined);
    const classPath = [join(folder, 'classes'), join(folder, 'jars/*')].join(delimiter);
    const own = ['Passthrough', String(port), cluster.KAFKA_BROKERS, vertxTopic];
    return { program: java.path, args: ['-Xmx512m', '-cp', classPath, ...own], env, port };
  },
};

const buildTimeoutMs = 600_000;

async function build(
  title: string,
  program: string,
  args: readonly string[],
  { env, buildFolder }: Pick<Surroundings, 'env' | 'buildFolder'>,
): Promise<Missing | undefined> {
  makeFolder(buildFolder);
  say(`building ${title}`);
  let lastLine = '';
  const onLine = (line: string): void => {
    if (line.trim() !== '') lastLine = line.trim();
  };
  try {
    const code = await runProgram(program, args, { env, onLine, signal: AbortSignal.timeout(buildTimeoutMs) });
    return code === 0 ? undefined : { missing: `it cannot be built: ${lastLine}` };
  } catch (error) {
    return { missing: `it cannot be built: ${messageOf(error)}` };
  }
}

/** Go of the PATH, else where its own installer puts it. */
function goProgram(env: Environment): string | undefined {
  const folders = [...(env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin'];
  return folders
    .map((folder) => join(folder, 'go'))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
