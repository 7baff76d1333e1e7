import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { makeFolder } from '../folders.ts';
import { registryUrl } from '../registry-address.ts';
import { JavaProcess, type JavaStart } from './java-process.ts';

export interface EmbeddedRegistryOptions extends JavaStart {
  readonly jars: string;
  /** Folder for data and log. */
  readonly folder: string;
  readonly port: number;
}

/**
 * Apicurio Registry with its schemas in a file, so that ids are the same after a restart. The folder stands in the command
 * line of the process, which tells whose it is.
 *
 * @throws {UserError} when it does not start, see {@link JavaProcess.started}.
 */
export async function startRegistry(options: EmbeddedRegistryOptions): Promise<JavaProcess> {
  const { jars, folder, port } = options;
  makeFolder(folder);
  const finishFirstStart = beginStart(folder);
  const registry = new JavaProcess(options, {
    name: 'Apicurio Registry',
    args: [
      '-Xms128m',
      '-Xmx384m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      // Without WRITE_DELAY=0 a killed process would lose the ids of its last half second.
      `-Dapicurio.datasource.url=jdbc:h2:file:${join(folder, 'data')};WRITE_DELAY=0`,
      '-jar',
      join(jars, 'apicurio-registry-app-3.0.9-runner.jar'),
    ],
    env: {
      APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: '2',
      APICURIO_DATASOURCE_JDBC_MIN_SIZE: '2',
    },
    logFile: join(folder, 'registry.log'),
  });
  await registry.started(untilAnswers(`${registryUrl(port)}/subjects`, registry));
  finishFirstStart();
  return registry;
}

/**
 * Removes the database of a first start that was interrupted: it may have half of its tables, and nobody has registered
 * anything in it. The returned function notes that this start is complete.
 */
function beginStart(folder: string): () => void {
  const database = join(folder, 'data.mv.db');
  const mark = join(folder, 'first-start');
  if (existsSync(mark)) rmSync(database, { force: true });
  else if (!existsSync(database)) writeFileSync(mark, '');
  return () => rmSync(mark, { force: true });
}

async function untilAnswers(url: string, registry: JavaProcess): Promise<void> {
  while (!registry.hasEnded && !(await answers(url))) await pause(100);
}

async function answers(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(url, { headersTimeout: 2_000, bodyTimeout: 2_000 });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}
