import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import type { Backend, BackendContext } from '../keeper/backend.ts';
import { brokerFolder, readJson, writeJson } from '../keeper/protocol.ts';
import { freePort } from '../ports.ts';
import { registryUrl } from '../registry-address.ts';
import { kafkaJars, registryJars, resolveJars } from './jars.ts';
import { findJava, findMaven } from './java.ts';
import type { JavaProcess } from './java-process.ts';
import { startKafka } from './kafka.ts';
import { startRegistry } from './registry.ts';

interface Ports {
  readonly kafka: number;
  readonly controller: number;
  readonly registry: number;
}

/**
 * Starts Apache Kafka and Apicurio Registry as processes of this machine; jars, data and logs live in the home, and what was
 * written at an earlier start is there again.
 *
 * @throws {UserError} when Java or Maven is missing, or a process does not start.
 */
export async function startEmbedded({ home, env, onProgress, onChild, signal }: BackendContext): Promise<Backend> {
  const java = await findJava(env);
  if ('missing' in java) throw new UserError(java.missing);
  const maven = findMaven(env);
  const mavenPath = 'path' in maven ? maven.path : undefined;
  const request = { home, mavenPath, env, onProgress, onChild, signal };
  const kafkaFolder = await resolveJars(kafkaJars, request);
  const registryFolder = await resolveJars(registryJars, request);

  onProgress('starting Apache Kafka and Apicurio Registry');
  const folder = join(brokerFolder(home), 'embedded');
  const ports = await choosePorts(join(folder, 'ports.json'));
  const start = { java: java.path, onChild };
  const kafka = {
    jars: kafkaFolder,
    folder: join(folder, 'kafka'),
    port: ports.kafka,
    controllerPort: ports.controller,
  };
  const registry = { jars: registryFolder, folder: join(folder, 'registry'), port: ports.registry };
  const parts = await allOrNone(signal, [
    (wanted) => startKafka({ ...start, ...kafka, signal: wanted }),
    (wanted) => startRegistry({ ...start, ...registry, signal: wanted }),
  ]);
  return {
    addresses: { brokers: `127.0.0.1:${ports.kafka}`, registryUrl: registryUrl(ports.registry) },
    onUnexpectedEnd: (listener) => {
      for (const part of parts) part.onUnexpectedExit(() => listener(part.name));
    },
    stop: async () => {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}

/** The results of all, or the first failure, once the others have been given up or have stopped again. */
async function allOrNone(
  signal: AbortSignal,
  starts: readonly ((wanted: AbortSignal) => Promise<JavaProcess>)[],
): Promise<readonly JavaProcess[]> {
  const failed = new AbortController();
  const wanted = AbortSignal.any([signal, failed.signal]);
  const settled = await Promise.allSettled(
    starts.map((start) =>
      start(wanted).catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    ),
  );
  const started = settled.filter((result) => result.status === 'fulfilled').map((result) => result.value);
  if (started.length === starts.length) return started;
  await Promise.all(started.map((part) => part.stop()));
  throw failed.signal.reason;
}

/** The ports of the last start where they are still free, so that addresses stay the same. */
async function choosePorts(path: string): Promise<Ports> {
  const last = readJson<Ports>(path);
  const kafka = await freePort(last?.kafka);
  const controller = await freePort(last?.controller);
  const registry = await freePort(last?.registry);
  const ports = { kafka, controller, registry };
  writeJson(path, ports);
  return ports;
}
