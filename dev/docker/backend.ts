import { hash } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import type { Backend, BackendContext } from '../keeper/backend.ts';
import { brokerFolder, readJson, writeJson } from '../keeper/protocol.ts';
import { freePort } from '../ports.ts';
import { registryUrl } from '../registry-address.ts';
import { composeFile, dockerTrouble, imagesTrouble, runDocker } from './engine.ts';

interface Ports {
  readonly kafka: number;
  readonly registry: number;
}

/** Containers and volumes of a home carry this name, so that homes do not meet. */
export function composeProject(home: string): string {
  return `imwatch-${hash('sha256', home).slice(0, 8)}`;
}

/**
 * Starts Kafka and the registry of docker-compose.yml. Stopping removes the containers and keeps the volumes, so what was
 * written is there again at the next start.
 *
 * @throws {UserError} when Docker cannot run them.
 */
export async function startDocker({ home, env, onProgress, signal }: BackendContext): Promise<Backend> {
  const trouble = (await dockerTrouble(env)) ?? (await imagesTrouble(env, onProgress, signal));
  if (trouble !== undefined) throw new UserError(`Docker cannot run Kafka: ${trouble}`);
  const portsFile = join(brokerFolder(home), 'docker', 'ports.json');
  const last = readJson<Ports>(portsFile);
  const ports = { kafka: await freePort(last?.kafka), registry: await freePort(last?.registry) };
  writeJson(portsFile, ports);

  const composeEnv = {
    ...env,
    IMWATCH_KAFKA_PORT: String(ports.kafka),
    IMWATCH_REGISTRY_PORT: String(ports.registry),
  };
  const compose = (...args: readonly string[]): Promise<void> =>
    runDocker(['compose', '-p', composeProject(home), '-f', composeFile, ...args], {
      env: composeEnv,
      onLine: onProgress,
      signal: new AbortController().signal,
    });
  onProgress('starting the containers of Kafka and the registry');
  try {
    await compose('up', '--detach', '--wait', 'kafka', 'registry');
  } catch (error) {
    await compose('down');
    throw error;
  }
  return {
    addresses: { brokers: `127.0.0.1:${ports.kafka}`, registryUrl: registryUrl(ports.registry) },
    // The engine itself watches containers; a service that loses them says so.
    onUnexpectedEnd: () => undefined,
    stop: () => compose('down'),
  };
}
