import { join } from 'node:path';
import { ServiceProcess } from '../../dev/service-process.ts';
import { ingestSettings } from '../../ingest/config.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { type Sources, textOf } from '../../lib/config/read.ts';
import { logSettings } from '../../lib/logger.ts';
import { serviceNodeFlags } from '../../lib/node-flags.ts';
import type { LiveLine } from '../live-line.ts';
import { readReadiness } from '../management-client.ts';
import { type ServiceName, serviceNames } from '../services.ts';
import type { Run } from '../until-stop.ts';

const cli = join(import.meta.dirname, '../start.js');
const readyPollMs = 100;

/** Addresses of the services that run, by name. */
export interface ServiceAddresses {
  /** Where ingest takes callbacks. */
  readonly callbacks: string;
  readonly management: Readonly<Record<ServiceName, string>>;
}

export interface ServicesOptions {
  /** What their settings are read from. */
  readonly sources: Sources;
  /** Whether logs are wanted as JSON, whatever the terminal. */
  readonly json: boolean;
  readonly live: LiveLine;
  /** A line that a service printed. */
  readonly onLine: (line: string) => void;
}

/**
 * Starts every service as a process of its own and waits until all are ready: ingest first, which makes the topics. They stop
 * with the run, consumers first.
 */
export async function startServices(options: ServicesOptions, run: Run): Promise<ServiceAddresses> {
  const [ingest, ...consumers] = serviceNames;
  const { callbacks = '', management = '' } = await startOne(ingest, options, run);
  const others = await Promise.all(
    consumers.map(async (name) => [name, (await startOne(name, options, run))['management'] ?? ''] as const),
  );
  const addresses = { ...Object.fromEntries(others), ingest: management } as Record<ServiceName, string>;
  return { callbacks, management: addresses };
}

async function startOne(
  name: ServiceName,
  { sources, json, live, onLine }: ServicesOptions,
  { resources, signal }: Run,
): Promise<Readonly<Record<string, string>>> {
  const service = new ServiceProcess({
    name,
    command: [process.execPath, ...serviceNodeFlags, cli, name],
    env: serviceEnvironment(sources, json),
    clock: systemClock,
    onLine,
    onCrash: (reason) => live.above(`${name} ended (${reason}), starting it again`),
  });
  resources.defer(() => service.stop());
  const addresses = await service.start();
  await untilReady(name, addresses['management'] ?? '', live, signal);
  return addresses;
}

/** Waits until a service says that it is ready, and shows why it is not. */
async function untilReady(name: ServiceName, management: string, live: LiveLine, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const readiness = await readReadiness(management);
    if (readiness !== undefined && readiness.status !== 'unavailable') return;
    live.set(`${name} waits: ${readiness?.reasons.join('; ') ?? 'it does not answer'}`);
    await sleep(systemClock, readyPollMs);
  }
  signal.throwIfAborted();
}

/** What a service is started with: our own variables, and the addresses of what runs here. */
export function serviceEnvironment(sources: Sources, json: boolean): Readonly<Record<string, string | undefined>> {
  const readable =
    process.stdout.isTTY === true && !json ? { [logSettings.logFormat.name]: 'pretty', FORCE_COLOR: '1' } : {};
  const asJson = json ? { [logSettings.logFormat.name]: 'json' } : {};
  // Nobody in front of it has to notice that it goes, and a Ctrl-C should be quick.
  const drain = ingestSettings.drainMs.name;
  const atOnce = textOf(sources, drain) === undefined ? { [drain]: '0' } : {};
  return { ...sources.running, ...readable, ...sources.env, ...asJson, ...atOnce };
}
