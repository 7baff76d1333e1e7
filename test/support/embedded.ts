import { join } from 'node:path';
import { homeOf } from '../../cli/settings.ts';
import { embeddedTrouble } from '../../dev/broker.ts';
import { kafkaJars, registryJars, resolveJars } from '../../dev/embedded/jars.ts';
import { findJava, findMaven } from '../../dev/embedded/java.ts';
import { processSources } from '../../lib/config/sources.ts';

const sources = processSources();

/** Why Kafka cannot run as a Java process here, to skip with; `undefined` when it can. */
export const noEmbedded: string | undefined = await embeddedTrouble(homeOf(sources), sources.env);

/** Text behind a suite's name that says why it is skipped. */
export const skipNote: string = noEmbedded === undefined ? '' : ` (skipped: ${noEmbedded})`;

export interface JavaTools {
  readonly java: string;
  readonly keytool: string;
  readonly kafkaJars: string;
  readonly registryJars: string;
}

/** Java and the jars, for tests that run a broker and a registry of their own. */
export async function javaTools(): Promise<JavaTools> {
  const java = await findJava(sources.env);
  if ('missing' in java) throw new Error(java.missing);
  const maven = findMaven(sources.env);
  const mavenPath = 'path' in maven ? maven.path : undefined;
  const { signal } = new AbortController();
  const ignore = (): void => undefined;
  const { env } = sources;
  const request = { home: homeOf(sources), mavenPath, env, onProgress: ignore, onChild: ignore, signal };
  return {
    java: java.path,
    keytool: join(java.path, '../keytool'),
    kafkaJars: await resolveJars(kafkaJars, request),
    registryJars: await resolveJars(registryJars, request),
  };
}
