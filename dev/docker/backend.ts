import { hash } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, UserError } from '../../lib/errors.ts';
import type { Backend, BackendContext } from '../keeper/backend.ts';
import { brokerFolder, readJson, writeJson } from '../keeper/protocol.ts';
import { freePort } from '../ports.ts';
import { registryUrl } from '../registry-address.ts';
import type { Environment } from '../run-program.ts';
import { composeFile, dockerTrouble, imagesTrouble, runDocker } from './engine.ts';

interface Ports {
  readonly kafka: number;
  readonly registry: number;
}

const defaultStartTimeoutMs = 120_000;
const downTimeoutMs = 60_000;
const questionTimeoutMs = 10_000;

/** Containers and volumes of a home carry this name, so that homes do not meet. */
export function composeProject(home: string): string {
  return `imwatch-${hash('sha256', home).slice(0, 8)}`;
}

/**
 * Starts Kafka and the registry of docker-compose.yml. Stopping removes the containers and keeps the volumes, so what was
 * written is there again at the next start.
 *
 * @throws {UserError} when Docker cannot run them, or when they are not ready in time.
 */
export async function startDocker(
  { home, env, onProgress, signal }: BackendContext,
  startTimeoutMs = defaultStartTimeoutMs,
): Promise<Backend> {
  const trouble = (await dockerTrouble(env)) ?? (await imagesTrouble(env, onProgress, signal));
  if (trouble !== undefined) throw new UserError(`Docker cannot run Kafka: ${trouble}`);
  const folder = join(brokerFolder(home), 'docker');
  const ports = await choosePorts(join(folder, 'ports.json'));
  const composeEnv = {
    ...env,
    IMWATCH_KAFKA_PORT: String(ports.kafka),
    IMWATCH_REGISTRY_PORT: String(ports.registry),
  };
  onProgress('starting the containers of Kafka and the registry');
  const inTime = AbortSignal.timeout(startTimeoutMs);
  const wanted = AbortSignal.any([signal, inTime]);
  try {
    await compose(home, ['up', '--detach', '--wait', 'kafka', 'registry'], composeEnv, onProgress, wanted);
  } catch (error) {
    const reason = inTime.aborted ? `they did not answer within ${startTimeoutMs / 1000} s` : messageOf(error);
    const states = signal.aborted ? '' : await keepLogs(home, composeEnv, join(folder, 'containers.log'));
    // What failed first is what counts.
    await removeContainers(home, composeEnv, onProgress).catch((second: unknown) => onProgress(messageOf(second)));
    signal.throwIfAborted();
    throw new UserError(`The containers of Kafka and the registry do not start: ${reason}${states}`);
  }
  return {
    addresses: { brokers: `127.0.0.1:${ports.kafka}`, registryUrl: registryUrl(ports.registry) },
    // The engine itself watches containers; a service that loses them says so.
    onUnexpectedEnd: () => undefined,
    stop: () => removeContainers(home, composeEnv, onProgress),
  };
}

/** Removes the containers of a home, if there are any; volumes stay. */
export function removeContainers(home: string, env: Environment, onLine: (line: string) => void): Promise<void> {
  return compose(home, ['down'], env, onLine, AbortSignal.timeout(downTimeoutMs));
}

/** Writes the output of the containers, which goes when they go, to a file; returns how each is, and where that file is. */
async function keepLogs(home: string, env: Environment, logFile: string): Promise<string> {
  const states: string[] = [];
  const ask = (args: readonly string[], onLine: (line: string) => void): Promise<void> =>
    compose(home, args, env, onLine, AbortSignal.timeout(questionTimeoutMs));
  try {
    await ask(['ps', '--all', '--format', '{{.Service}} is {{.State}} ({{.Health}})'], (line) => states.push(line));
    writeFileSync(logFile, '');
    await ask(['logs', '--no-color'], (line) => appendFileSync(logFile, `${line}\n`));
    return ` (${states.join(', ')}); their log is ${logFile}`;
  } catch (error) {
    return `; their log cannot be had: ${messageOf(error)}`;
  }
}

function compose(
  home: string,
  args: readonly string[],
  env: Environment,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  return runDocker(['compose', '-p', composeProject(home), '-f', composeFile, ...args], { env, onLine, signal });
}

/** The ports of the last start where they are still free, so that addresses stay the same. */
async function choosePorts(path: string): Promise<Ports> {
  const last = readJson<Ports>(path);
  const ports = { kafka: await freePort(last?.kafka), registry: await freePort(last?.registry) };
  writeJson(path, ports);
  return ports;
}
