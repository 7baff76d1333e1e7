import { request } from 'undici';
import { inject } from 'vitest';
import { parseMetrics, type Samples } from '../../cli/management-client.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import type { Sources } from '../../lib/config/read.ts';
import type { Logger } from '../../lib/logger.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Readiness } from '../../lib/management-server.ts';
import type { RunningService } from '../../lib/run-service.ts';
import type { ManualClock } from './manual-clock.ts';

/** A consumer service in this process, on a real broker, by a clock that the test moves. */
export interface TestConsumer {
  metrics(): Promise<Samples>;
  /** Resolves when this many events have been handled, whatever became of them. */
  handled(count: number): Promise<void>;
  stop(): Promise<void>;
}

const pollMs = 10;

/** Starts a consumer and waits until it consumes. */
export async function startTestConsumer<C>(
  start: (config: C, logger: Logger, clock: ManualClock) => Promise<RunningService>,
  read: (sources: Sources) => C,
  env: Readonly<Record<string, string>>,
  clock: ManualClock,
): Promise<TestConsumer> {
  const config = read({ env: { ...inject('cluster'), ...env }, file: {}, running: {} });
  const service = await start(config, silentLogger, clock);
  const url = service.addresses['management'] ?? '';
  const metrics = async (): Promise<Samples> => parseMetrics(await (await request(`${url}/metrics`)).body.text());
  const isReady = async (): Promise<boolean> => {
    const readiness = (await (await request(`${url}/ready`)).body.json()) as Readiness;
    return readiness.status === 'ready';
  };
  while (!(await isReady())) await sleep(systemClock, pollMs);
  return {
    metrics,
    handled: async (count) => {
      while (((await metrics()).get('consumer_events_total') ?? 0) < count) await sleep(systemClock, pollMs);
    },
    stop: () => service.stop(),
  };
}
