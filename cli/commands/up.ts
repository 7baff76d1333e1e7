import { Command } from 'commander';
import { readIngestConfig } from '../../ingest/config.ts';
import { systemClock } from '../../lib/clock.ts';
import { processSources } from '../../lib/config/sources.ts';
import { ConfigError } from '../../lib/errors.ts';
import { banner } from '../banner.ts';
import { hasApp, withDefaultApp } from '../default-app.ts';
import { LiveLine } from '../live-line.ts';
import { localCluster, placeholderAddresses } from '../local/cluster.ts';
import { startServices } from '../local/service-processes.ts';
import { readMetrics } from '../management-client.ts';
import { print } from '../output.ts';
import { serviceProblems } from '../services.ts';
import { withBroker } from '../settings.ts';
import { StatusLine } from '../status-line.ts';
import { untilStop } from '../until-stop.ts';

export function upCommand(): Command {
  return new Command('up')
    .description('run everything on this machine: broker, registry, ingest and consumers, until Ctrl-C')
    .option('--json', "a line of JSON when everything runs, and the services' logs as JSON")
    .action(up);
}

const statusIntervalMs = 1_000;

async function up({ json = false }: { readonly json?: boolean }): Promise<void> {
  const configured = processSources();
  const sources = withDefaultApp(configured);
  // Settings first: nobody should wait for a broker to learn of a typing error.
  const problems = serviceProblems(withBroker(sources, placeholderAddresses));
  if (problems.length > 0) throw new ConfigError(problems);

  const live = json ? new LiveLine(false) : new LiveLine();
  await untilStop(sources.env, live, async (run) => {
    const startedMs = systemClock.monotonicMs();
    const onProgress = json ? () => undefined : live.progress();
    const { addresses, place } = await localCluster(sources, onProgress, run);
    const running = withBroker(sources, addresses);
    const onLine = (line: string): void => live.above(line);
    const { callbacks, management } = await startServices({ sources: running, json, live, onLine }, run);
    const startMs = systemClock.monotonicMs() - startedMs;
    if (json) {
      print(JSON.stringify({ event: 'ready', callbacks, management, ...addresses, startMs: Math.round(startMs) }));
      return;
    }

    const lines = banner({
      config: readIngestConfig(running),
      addresses,
      place,
      callbackUrl: callbacks,
      isAppConfigured: hasApp(configured),
      startSeconds: startMs / 1000,
    });
    for (const line of lines) live.above(line);

    const status = new StatusLine();
    const timer = setInterval(async () => {
      const samples = await Promise.all(Object.values(management).map(readMetrics));
      live.set(status.text(samples, systemClock.nowMs()));
    }, statusIntervalMs);
    run.resources.defer(() => clearInterval(timer));
  });
}
