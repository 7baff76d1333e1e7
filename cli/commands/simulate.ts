import { Command, InvalidArgumentError, Option } from 'commander';
import { spike } from '../../dev/traffic/app-traffic.ts';
import { type Mix, mixes, noSpike, planTraffic } from '../../dev/traffic/plan.ts';
import { systemClock } from '../../lib/clock.ts';
import { watchStopSignals } from '../../lib/stop-signals.ts';
import { chooseApps } from '../app-choice.ts';
import { withDefaultApp } from '../default-app.ts';
import { exitCodes } from '../exit-codes.ts';
import { localIngestUrl } from '../ingest-url.ts';
import { LiveLine } from '../live-line.ts';
import { print } from '../output.ts';
import { commandSources } from '../settings.ts';
import { type SendCounts, TrafficSender } from '../traffic-sender.ts';

interface Options {
  readonly rate: number;
  readonly duration: number;
  readonly seed: number;
  readonly mix: Mix;
  readonly spike: string;
  readonly diurnal?: boolean;
  readonly app?: string;
  readonly url?: string;
  readonly json?: boolean;
}

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('send realistic traffic: users with habits, an abuser, a spike of many senders, redeliveries')
    .option('--rate <count>', 'callbacks a second, beside those of the abuser and the spike', positive, 20)
    .option('--duration <seconds>', 'how long', positive, 60)
    .option('--seed <number>', 'the same traffic for the same number', wholeNumber, 1)
    .addOption(
      new Option('--mix <what>', 'verdicts alone, or also messages, logins, groups, friends, pushes')
        .choices(mixes)
        .default('verdicts'),
    )
    .option('--spike <label>', `moderation label of the spike in the middle, or ${noSpike}`, spike.label)
    .option('--diurnal', 'more and less by the hour: a day squeezed into the duration')
    .option('--app <sdkAppId>', 'for one of the apps; not set: split between all of them')
    .option('--url <url>', 'where to; not set: ingest on this machine')
    .option('--json', 'the counts as JSON')
    .action(simulate);
}

const maxNumber = 10_000_000;

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= maxNumber))
    throw new InvalidArgumentError(`expected a number above 0, up to ${maxNumber}`);
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

const showIntervalMs = 500;

async function simulate({
  rate,
  duration,
  seed,
  mix,
  spike: spikeLabel,
  diurnal,
  app,
  url,
  json,
}: Options): Promise<void> {
  const sources = withDefaultApp(await commandSources());
  const apps = chooseApps(sources, app);
  const stop = new AbortController();
  const endWatch = watchStopSignals(
    () => stop.abort(),
    () => process.exit(exitCodes.interrupted),
  );
  const startMs = systemClock.nowMs();
  const durationMs = duration * 1_000;
  const deliveries = planTraffic({
    seed,
    durationMs,
    perSecond: rate,
    sdkAppIds: apps.map(({ sdkAppId }) => sdkAppId),
    startMs,
    mix,
    spikeLabel,
    ...(diurnal === true && { dayMs: durationMs }),
  });
  const sender = new TrafficSender({
    url: url ?? localIngestUrl(sources),
    apps,
    clock: systemClock,
    signal: stop.signal,
  });
  const live = new LiveLine();
  const timer = setInterval(() => {
    live.set(`${line(sender.counts)}  ·  ${Math.round((systemClock.nowMs() - startMs) / 1000)} of ${duration} s`);
  }, showIntervalMs);
  await sender.send(deliveries);
  clearInterval(timer);
  endWatch();
  live.clear();
  const { counts } = sender;
  if (json === true) print(JSON.stringify(counts));
  else for (const text of [line(counts), ...byCommand(counts)]) print(text);
  if (counts.acknowledged < counts.sent) process.exitCode = exitCodes.problem;
}

function line({ sent, redelivered, acknowledged, repeated, lastFailure }: SendCounts): string {
  return [
    `${sent} sent (${redelivered} of them again)`,
    `${acknowledged} acknowledged`,
    ...(repeated === 0 ? [] : [`${repeated} repeated, the last because: ${lastFailure}`]),
  ].join('  ·  ');
}

/** How many of each command, the most frequent first. */
function byCommand(counts: SendCounts): readonly string[] {
  const rows = Object.entries(counts.byCommand).toSorted(([, a], [, b]) => b - a);
  const width = String(rows[0]?.[1] ?? 0).length;
  return rows.map(([command, count]) => `  ${String(count).padStart(width)}  ${command}`);
}
