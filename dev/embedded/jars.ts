import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { makeFolder } from '../folders.ts';
import { isAlive } from '../processes.ts';
import { type Environment, runProgram } from '../run-program.ts';

/** A set of jars that Maven resolves from a pom file beside this one. */
interface JarSet {
  readonly title: string;
  readonly folder: string;
  readonly pom: string;
  readonly goal: string;
}

export const kafkaJars: JarSet = {
  title: 'Apache Kafka 4.3.1',
  folder: 'kafka-4.3.1',
  pom: 'kafka.pom.xml',
  goal: 'dependency:copy-dependencies',
};

export const registryJars: JarSet = {
  title: 'Apicurio Registry 3.0.9',
  folder: 'apicurio-registry-3.0.9',
  pom: 'registry.pom.xml',
  goal: 'dependency:unpack',
};

export interface JarRequest {
  /** Absolute path of IMWATCH_HOME. */
  readonly home: string;
  readonly mavenPath: string | undefined;
  readonly env: Environment;
  readonly onProgress: (text: string) => void;
  /** Told the id of Maven's process. */
  readonly onChild: (pid: number) => void;
  /** Ends Maven. */
  readonly signal: AbortSignal;
}

/** Whether everything is there already, so that Maven is not needed. */
export function haveJars(home: string): boolean {
  return [kafkaJars, registryJars].every((set) => existsSync(folderOf(home, set)));
}

export function jarsFolder(home: string): string {
  return join(home, 'jars');
}

function folderOf(home: string, set: JarSet): string {
  return join(jarsFolder(home), set.folder);
}

/**
 * The folder with the jars of `set`, resolved by Maven at the first call.
 *
 * They are collected beside their place and moved there when complete, so that an interrupted download is simply repeated;
 * Maven keeps what it has of it in its own repository.
 *
 * @throws {UserError} when Maven fails, with the end of what it said.
 */
export async function resolveJars(set: JarSet, request: JarRequest): Promise<string> {
  const { home, mavenPath, onProgress } = request;
  const folder = folderOf(home, set);
  if (existsSync(folder)) return folder;
  if (mavenPath === undefined) throw new UserError(`Cannot fetch ${set.title}: Maven (mvn) is not installed`);
  const jars = dirname(folder);
  makeFolder(jars);
  removeInterrupted(jars);
  const staging = `${folder}${partMark}${process.pid}`;
  onProgress(`${set.title}: asking Maven`);
  await runMaven(mavenPath, set, staging, request);
  // Another process may have been faster; one of the two is enough.
  if (existsSync(folder)) rmSync(staging, { recursive: true });
  else renameSync(staging, folder);
  return folder;
}

const partMark = '.part-';

/** Removes what interrupted processes have left half done. */
function removeInterrupted(jars: string): void {
  for (const name of readdirSync(jars)) {
    const [, pid] = name.split(partMark);
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(jars, name), { recursive: true });
  }
}

const keptLines = 15;

async function runMaven(mavenPath: string, set: JarSet, outputFolder: string, request: JarRequest): Promise<void> {
  const { env, onProgress, onChild, signal } = request;
  const pom = join(import.meta.dirname, set.pom);
  const args = ['-f', pom, '-Dstyle.color=never', set.goal, `-DoutputDirectory=${outputFolder}`];
  const lastLines: string[] = [];
  let files = 0;
  // Maven overwrites its progress with carriage returns, which are taken as ends of lines too.
  const onLine = (line: string): void => {
    if (line.startsWith('Downloaded ')) files += 1;
    const transfer = /^Progress \(\d+\): (.*\S)/.exec(line)?.[1];
    if (transfer !== undefined) onProgress(`${set.title}: ${files} files fetched, now ${transfer}`);
    else if (line.trim() !== '' && !line.startsWith('Download')) lastLines.push(line);
    if (lastLines.length > keptLines) lastLines.shift();
  };
  const code = await runProgram(mavenPath, args, { env, onLine, onChild, signal });
  if (code === 0) return;
  throw new UserError(`Maven cannot fetch ${set.title} (exit code ${code}):\n${lastLines.join('\n')}`);
}
