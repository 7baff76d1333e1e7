import { join } from 'node:path';
import { Command } from 'commander';
import { acquireBroker, brokerSettings } from '../../dev/broker.ts';
import type { BrokerAddresses } from '../../dev/keeper/protocol.ts';
import { ServiceProcess } from '../../dev/service-process.ts';
import { readIngestConfig } from '../../ingest/config.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { readSettings, type Sources, textOf } from '../../lib/config/read.ts';
import { processSources } from '../../lib/config/sources.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { logSettings } from '../../lib/logger.ts';
import { schemaSettings } from '../../schemas/settings.ts';
import { banner } from '../banner.ts';
import { hasApp, withDefaultApp } from '../default-app.ts';
import { LiveLine } from '../live-line.ts';
import { readMetrics, readReadiness } from '../management-client.ts';
import { print } from '../output.ts';
import { homeOf, withBroker } from '../settings.ts';
import { StatusLine } from '../status-line.ts';
import { type Run, untilStop } from '../until-stop.ts';

export function upCommand(): Command {
  return new Command('up')
    .description('run everything on this machine: broker, registry and ingest, until Ctrl-C')
    .option('--json', "a line of JSON when everything runs, and the services' logs as JSON")
    .action(up);
}

const cli = join(import.meta.dirname, '../imwatch.ts');
const statusIntervalMs = 1_000;
const progressIntervalMs = 5_000;
const readyPollMs = 100;

async function up({ json = false }: { readonly json?: boolean }): Promise<void> {
  const configured = processSources();
  const sources = withDefaultApp(configured);
  // Settings first: nobody should wait for a broker to learn of a typing error.
  readIngestConfig(withBroker(sources, placeholderAddresses));

  const live = json ? new LiveLine(false) : new LiveLine();
  await untilStop(sources.env, live, async (run) => {
    const { resources } = run;
    const startedMs = systemClock.monotonicMs();
    const { addresses, place } = await broker(sources, json ? () => undefined : progressOn(live), run);
    const running = withBroker(sources, addresses);
    const ingest = new ServiceProcess({
      name: 'ingest',
      command: [process.execPath, cli, 'ingest'],
      env: serviceEnvironment(running, json),
      clock: systemClock,
      onLine: (line) => live.above(line),
      onCrash: (reason) => live.above(`ingest ended (${reason}), starting it again`),
    });
    resources.defer(() => ingest.stop());
    const { callbacks = '', management = '' } = await ingest.start();
    await untilReady(management, live, run.signal);
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
      live.set(status.text(await readMetrics(management), systemClock.nowMs()));
    }, statusIntervalMs);
    resources.defer(() => clearInterval(timer));
  });
}

/** Stands in for the addresses of the broker that does not run yet, to check the other settings. */
const placeholderAddresses: BrokerAddresses = { brokers: '127.0.0.1:9092', registryUrl: 'http://127.0.0.1:8081' };

/** The given Kafka and registry, or ones that run for as long as `resources` do. */
async function broker(
  sources: Sources,
  onProgress: (text: string) => void,
  { signal, resources, fail }: Run,
): Promise<{ readonly addresses: BrokerAddresses; readonly place: string }> {
  const given = textOf(sources, kafkaSettings.brokers.name)?.text;
  if (given !== undefined) {
    const registryUrl = textOf(sources, schemaSettings.registryUrl.name)?.text ?? '';
    return { addresses: { brokers: given, registryUrl }, place: 'as KAFKA_BROKERS says' };
  }
  const home = homeOf(sources);
  const { broker: kind } = readSettings(brokerSettings, sources);
  const lease = await acquireBroker({ home, kind, env: sources.env, onProgress, signal });
  resources.defer(() => lease.release());
  lease.lost.catch(fail);
  const { brokers, registryUrl } = lease;
  const way = lease.kind === 'docker' ? 'in containers' : 'embedded';
  return { addresses: { brokers, registryUrl }, place: `${way}, home ${home}` };
}

/** Shows progress in place on a terminal; elsewhere as a line now and then. */
function progressOn(live: LiveLine): (text: string) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (text) => {
    live.set(text);
    const nowMs = systemClock.monotonicMs();
    if (process.stdout.isTTY === true || nowMs - lastMs < progressIntervalMs) return;
    lastMs = nowMs;
    print(text);
  };
}

/** Waits until a service says that it is ready, and shows why it is not. */
async function untilReady(management: string, live: LiveLine, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const readiness = await readReadiness(management);
    if (readiness !== undefined && readiness.status !== 'unavailable') return;
    live.set(`ingest waits: ${readiness?.reasons.join('; ') ?? 'it does not answer'}`);
    await sleep(systemClock, readyPollMs);
  }
  signal.throwIfAborted();
}

/** What a service is started with: our own variables, and the addresses of what runs here. */
function serviceEnvironment(sources: Sources, json: boolean): Readonly<Record<string, string | undefined>> {
  const readable =
    process.stdout.isTTY === true && !json ? { [logSettings.logFormat.name]: 'pretty', FORCE_COLOR: '1' } : {};
  const asJson = json ? { [logSettings.logFormat.name]: 'json' } : {};
  return { ...sources.running, ...readable, ...sources.env, ...asJson };
}
