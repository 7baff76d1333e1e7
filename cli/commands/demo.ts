import { Command } from 'commander';
import type { Delivery } from '../../dev/traffic/delivery.ts';
import { planTraffic } from '../../dev/traffic/plan.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { readSettings, type Sources } from '../../lib/config/read.ts';
import { processSources } from '../../lib/config/sources.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { silentLogger } from '../../lib/logger.ts';
import { createSchemaRegistry } from '../../schemas/registry.ts';
import { clusterSettings } from '../../schemas/settings.ts';
import { demoApp, demoSources } from '../demo/settings.ts';
import { showServiceLine } from '../demo/story.ts';
import { claims, summary } from '../demo/summary.ts';
import { type DemoTopics, type Found, readFound, removeTopics } from '../demo/topics.ts';
import { exitCodes } from '../exit-codes.ts';
import { LiveLine } from '../live-line.ts';
import { localCluster } from '../local/cluster.ts';
import { startServices } from '../local/service-processes.ts';
import { readMetrics } from '../management-client.ts';
import { bold, dim, print } from '../output.ts';
import { commandOfSample, defaultSample, readSample } from '../samples.ts';
import { withBroker } from '../settings.ts';
import { StatusLine } from '../status-line.ts';
import { TrafficSender } from '../traffic-sender.ts';
import { untilStop } from '../until-stop.ts';

interface Options {
  readonly seconds: string;
  readonly json?: boolean;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('run everything with simulated traffic, show what comes of it, and end')
    .option('--seconds <count>', 'how long the traffic lasts; alerts need 30 s', '60')
    .option('--json', 'the summary as JSON')
    .action(demo);
}

const statusIntervalMs = 500;
const settlePollMs = 500;
const settleTimeoutMs = 20_000;
const perSecond = 20;

async function demo({ seconds, json = false }: Options): Promise<void> {
  const sources = await demoSources(processSources());
  const live = json ? new LiveLine(false) : new LiveLine();
  const say = json ? () => undefined : (line: string): void => live.above(line);
  await untilStop(sources.env, live, async (run) => {
    const { resources, signal, finish } = run;
    const startedMs = systemClock.monotonicMs();
    const { addresses, place } = await localCluster(sources, json ? () => undefined : live.progress(), run);
    const clusterMs = systemClock.monotonicMs();
    const running = withBroker(sources, addresses);
    const topics = demoTopics(running);
    resources.defer(() => removeTopics(topics));
    const onLine = (line: string): void => showServiceLine(line, say);
    const { callbacks, management } = await startServices({ sources: running, json: true, live, onLine }, run);
    const readyMs = systemClock.monotonicMs();
    const startText = `Kafka and registry ${place}, after ${inSeconds(clusterMs - startedMs)}; services after ${inSeconds(readyMs - clusterMs)}`;
    say(`${bold('imwatch demo')}  ${dim(startText)}`);

    const status = new StatusLine();
    const timer = setInterval(async () => {
      const samples = await Promise.all(Object.values(management).map(readMetrics));
      if (!signal.aborted && !json) live.set(status.text(samples, systemClock.nowMs()));
    }, statusIntervalMs);
    resources.defer(() => clearInterval(timer));

    const sender = new TrafficSender({ url: callbacks, apps: [demoApp], clock: systemClock, signal });
    const startMs = systemClock.nowMs();
    say(
      `Sending the verdicts of Tencent's documents, then ${seconds} s of traffic with an abuser and a spike of many senders`,
    );
    await sender.send([
      ...documentedVerdicts(),
      ...planTraffic({
        seed: startMs,
        durationMs: Number(seconds) * 1_000,
        perSecond,
        sdkAppIds: [demoApp.sdkAppId],
        startMs,
      }),
    ]);
    if (signal.aborted) return;
    say('All is sent, waiting until the consumers have it');
    const found = await settled(topics, (state) => claims(sender.counts, state).every(({ holds }) => holds), signal);
    clearInterval(timer);
    live.clear();
    const isFine = claims(sender.counts, found).every(({ holds }) => holds);
    if (json) print(JSON.stringify({ isFine, ...sender.counts, ...found, startMs: Math.round(readyMs - startedMs) }));
    else for (const line of summary(sender.counts, found)) print(line);
    if (!isFine) process.exitCode = exitCodes.problem;
    finish();
  });
}

function demoTopics(sources: Sources): DemoTopics {
  const values = readSettings(clusterSettings, sources);
  return {
    kafka: createKafka(values, 'imwatch-demo', silentLogger),
    cluster: clusterOptions(values, 'imwatch-demo'),
    registry: createSchemaRegistry(values),
    topicPrefix: values.topicPrefix,
  };
}

/** The verdicts that Tencent's documents print. */
const documented = [defaultSample, `${defaultSample}.console-guide`, `${defaultSample}.result-page`];

function documentedVerdicts(): readonly Delivery[] {
  const { sdkAppId } = demoApp;
  return documented.map((name) => ({
    atMs: 0,
    sdkAppId,
    command: commandOfSample(name),
    body: readSample(name, sdkAppId),
    isRedelivery: false,
  }));
}

/** Reads the topics until they are as they should be, or for 20 s. */
async function settled(topics: DemoTopics, isSettled: (found: Found) => boolean, signal: AbortSignal): Promise<Found> {
  const untilMs = systemClock.monotonicMs() + settleTimeoutMs;
  for (;;) {
    const found = await readFound(topics);
    if (isSettled(found) || signal.aborted || systemClock.monotonicMs() > untilMs) return found;
    await sleep(systemClock, settlePollMs);
  }
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
