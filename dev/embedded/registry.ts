import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { makeFolder } from '../folders.ts';
import { registryUrl } from '../registry-address.ts';
import { JavaProcess } from './java-process.ts';

export interface EmbeddedRegistryOptions {
  readonly java: string;
  readonly jars: string;
  /** Folder for data and log. */
  readonly folder: string;
  readonly port: number;
  /** Told the id of the registry's process as soon as it has one. */
  readonly onChild?: (pid: number) => void;
}

/** Apicurio Registry with its schemas in a file, so that ids are the same after a restart. */
export async function startRegistry(options: EmbeddedRegistryOptions): Promise<JavaProcess> {
  const { java, jars, folder, port } = options;
  makeFolder(folder);
  const registry = new JavaProcess({
    name: 'Apicurio Registry',
    java,
    args: [
      '-Xms128m',
      '-Xmx384m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      '-jar',
      join(jars, 'apicurio-registry-app-3.0.9-runner.jar'),
    ],
    env: {
      // Without WRITE_DELAY=0 a killed process would lose the ids of its last half second.
      APICURIO_DATASOURCE_URL: `jdbc:h2:file:${join(folder, 'data')};WRITE_DELAY=0`,
      APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: '2',
      APICURIO_DATASOURCE_JDBC_MIN_SIZE: '2',
    },
    logFile: join(folder, 'registry.log'),
    onChild: options.onChild,
  });
  await Promise.race([untilAnswers(`${registryUrl(port)}/subjects`, registry), registry.failure()]);
  return registry;
}

async function untilAnswers(url: string, registry: JavaProcess): Promise<void> {
  while (!registry.hasEnded && !(await answers(url))) await pause(100);
}

async function answers(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, { headersTimeout: 2_000 });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}
