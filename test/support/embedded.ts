import { join } from 'node:path';
import { homeOf } from '../../cli/settings.ts';
import { embeddedTrouble } from '../../dev/broker.ts';
import { kafkaJars, resolveJars } from '../../dev/embedded/jars.ts';
import { findJava, findMaven } from '../../dev/embedded/java.ts';
import { processSources } from '../../lib/config/sources.ts';

const sources = processSources();

/** Why Kafka cannot run as a Java process here, to skip with; `undefined` when it can. */
export const noEmbedded: string | undefined = await embeddedTrouble(homeOf(sources), sources.env);

/** Text behind a suite's name that says why it is skipped. */
export const skipNote: string = noEmbedded === undefined ? '' : ` (skipped: ${noEmbedded})`;

/** Java and the jars of a broker, for tests that run one of their own. */
export async function kafkaTools(): Promise<{
  readonly java: string;
  readonly keytool: string;
  readonly jars: string;
}> {
  const java = await findJava(sources.env);
  const maven = findMaven(sources.env);
  if ('missing' in java) throw new Error(java.missing);
  const mavenPath = 'path' in maven ? maven.path : undefined;
  const { signal } = new AbortController();
  const jars = await resolveJars(homeOf(sources), kafkaJars, mavenPath, () => undefined, signal);
  return { java: java.path, keytool: join(java.path, '../keytool'), jars };
}
