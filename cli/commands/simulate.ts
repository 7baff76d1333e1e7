import { Command, InvalidArgumentError } from 'commander';
import { planTraffic } from '../../dev/traffic/plan.ts';
import { systemClock } from '../../lib/clock.ts';
import { watchStopSignals } from '../../lib/stop-signals.ts';
import { chooseApp } from '../app-choice.ts';
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
  readonly app?: string;
  readonly url?: string;
  readonly json?: boolean;
}

export function simulateCommand(): Command {
  return new Command('simulate')
    .description('send realistic verdicts: users with habits, an abuser, a spike of many senders, redeliveries')
    .option('--rate <count>', 'verdicts a second, beside those of the abuser and the spike', positive, 20)
    .option('--duration <seconds>', 'how long', positive, 60)
    .option('--seed <number>', 'the same traffic for the same number', wholeNumber, 1)
    .option('--app <sdkAppId>', 'for which of the apps, when there are several')
    .option('--url <url>', 'where to; not set: ingest on this machine')
    .option('--json', 'the counts as JSON')
    .action(simulate);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100_000)) throw new InvalidArgumentError('expected a number above 0, up to 100000');
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

const showIntervalMs = 500;

async function simulate({ rate, duration, seed, app: wanted, url, json }: Options): Promise<void> {
  const sources = withDefaultApp(await commandSources());
  const app = chooseApp(sources, wanted);
  const stop = new AbortController();
  const endWatch = watchStopSignals(
    () => stop.abort(),
    () => process.exit(exitCodes.interrupted),
  );
  const { sdkAppId } = app;
  const startMs = systemClock.nowMs();
  const deliveries = planTraffic({ seed, durationMs: duration * 1_000, perSecond: rate, sdkAppId, startMs });
  const sender = new TrafficSender({
    url: url ?? localIngestUrl(sources),
    app,
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
  print(json === true ? JSON.stringify(sender.counts) : line(sender.counts));
  if (sender.counts.acknowledged < sender.counts.sent) process.exitCode = exitCodes.problem;
}

function line({ sent, redelivered, acknowledged, repeated, lastFailure }: SendCounts): string {
  return [
    `${sent} sent (${redelivered} of them again)`,
    `${acknowledged} acknowledged`,
    ...(repeated === 0 ? [] : [`${repeated} repeated, the last because: ${lastFailure}`]),
  ].join('  ·  ');
}
