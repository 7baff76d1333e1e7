import { createServer } from 'node:net';
import { sleep, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { type Readiness, startManagementServer } from '../../lib/management-server.ts';
import type { RunningService } from '../../lib/run-service.ts';
import { type IngestConfig, ingestSettings } from '../config.ts';
import { shedMsOf, stoppingReadiness } from '../drain.ts';
import { ClusterHost } from './cluster-host.ts';
import { MergedMetrics } from './merged-metrics.ts';
import { mergeReadiness, type WorkerState } from './merged-readiness.ts';
import { Supervisor } from './supervisor.ts';
import { createSupervisorMetrics } from './supervisor-metrics.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** How long an answer of a worker is waited for, so that one that hangs does not hold up a scrape. */
const answerMs = 1_000;

/**
 * Starts ingest as several processes on one port, and looks after them. This process takes no callbacks: it holds the listening
 * socket and the management port. SIGUSR2 replaces the workers one after another.
 *
 * @param env the variables that the settings were read from; the workers read the same.
 */
export async function startWorkers(config: IngestConfig, env: Environment, logger: Logger): Promise<RunningService> {
  const clock = systemClock;
  await using starting = new AsyncDisposableStack();
  const own = createSupervisorMetrics(() => serving().length);
  const merged = new MergedMetrics();
  const port = config.port === 0 ? await freePort(config.host) : config.port;
  const supervisor = new Supervisor({
    count: config.workers,
    host: new ClusterHost({ ...env, [ingestSettings.port.name]: String(port) }, clock),
    drainMs: config.drainMs,
    clock,
    logger,
    onRestart: own.restarted,
    onFarewell: (process, metrics) => merged.take(process, metrics),
    onEnd: (process) => merged.end(process),
  });
  const serving = () => supervisor.slots.flatMap(({ lives }) => lives).filter(({ state }) => state === 'serving');

  let isStopping = false;
  const readiness = async (): Promise<Readiness> => {
    if (isStopping) return stoppingReadiness;
    const states = supervisor.slots.map(async ({ number, lives }): Promise<WorkerState> => {
      const life = lives.find(({ state }) => state === 'serving');
      if (life === undefined) return { number, readiness: 'missing' };
      return { number, readiness: (await life.process.ask('readiness', answerMs)) ?? 'silent' };
    });
    return mergeReadiness(await Promise.all(states));
  };
  const metrics = async (): Promise<string> => {
    const lives = supervisor.slots.flatMap((slot) => slot.lives).filter(({ state }) => state !== 'starting');
    await Promise.all(
      lives.map(async ({ process }) => {
        const found = await process.ask('metrics', answerMs);
        if (found !== undefined) merged.take(process, found);
      }),
    );
    return merged.text(await own.registry.getMetricsAsJSON());
  };
  const management = await startManagementServer({
    host: config.managementHost,
    port: config.managementPort,
    metrics: { contentType: merged.contentType, metrics },
    readiness,
  });
  starting.defer(() => management.close());

  let shedMs = 0;
  starting.defer(() => supervisor.stop(shedMs));
  process.on('SIGUSR2', () => void supervisor.replaceAll());
  const { callbacks = '' } = await supervisor.start();
  const resources = starting.move();
  return {
    addresses: { callbacks, management: management.url },
    drain: async () => {
      isStopping = true;
      supervisor.expectStop();
      await sleep(clock, config.drainMs);
      shedMs = shedMsOf(config);
    },
    stop: () => {
      isStopping = true;
      return resources.disposeAsync();
    },
  };
}

/** A port that nobody listens on: the workers must agree on one, also when all of them have been started again. */
async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error(`No port on ${host}`);
  return address.port;
}
