import { Command, InvalidArgumentError } from 'commander';
import { readAlertingConfig } from '../../consumers/alerting/config.ts';
import { alertingDefinition } from '../../consumers/alerting/main.ts';
import { readAnalyticsConfig } from '../../consumers/analytics/config.ts';
import { analyticsDefinition } from '../../consumers/analytics/main.ts';
import { readPenaltiesConfig } from '../../consumers/penalties/config.ts';
import { penaltiesDefinition } from '../../consumers/penalties/main.ts';
import { type Difference, type PartitionReplay, type ReplayOptions, replay } from '../../consumers/runtime/replay.ts';
import { watchStopSignals } from '../../lib/stop-signals.ts';
import { exitCodes } from '../exit-codes.ts';
import { note, print, printJson, red } from '../output.ts';
import { commandSources } from '../settings.ts';

type How = Pick<ReplayOptions<never, never, never>, 'sinceMs' | 'partition' | 'signal' | 'onProgress'>;
type Sources = Awaited<ReturnType<typeof commandSources>>;

const replays: Readonly<Record<string, (sources: Sources, how: How) => Promise<readonly PartitionReplay[]>>> = {
  analytics: (sources, how) => {
    const config = readAnalyticsConfig(sources);
    return replay({ definition: analyticsDefinition(config), config, ...how });
  },
  penalties: (sources, how) => {
    const config = readPenaltiesConfig(sources);
    return replay({ definition: penaltiesDefinition(config), config, ...how });
  },
  alerting: (sources, how) => {
    const config = readAlertingConfig(sources);
    return replay({ definition: alertingDefinition(config), config, ...how });
  },
};

/** Differences that are printed of each partition; `--json` has them all. */
const shown = 10;

interface Options {
  readonly since?: number;
  readonly partition?: number;
  readonly json?: boolean;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      "handle a consumer's events again, in a place of its own, and compare the state that they lead to with the live one; exit code 1 when it is another",
    )
    .argument('<service>', Object.keys(replays).join(', '), service)
    .option('--since <time>', 'leave out events of before (ISO 8601); by default all that are kept', time)
    .option('--partition <number>', 'this one alone', wholeNumber)
    .option('--json', 'as JSON')
    .action((name: string, options: Options) => run(name, options));
}

async function run(name: string, { since, partition, json = false }: Options): Promise<void> {
  const stop = new AbortController();
  const endWatch = watchStopSignals(
    () => stop.abort(),
    () => process.exit(exitCodes.interrupted),
  );
  try {
    const found = await replays[name]?.(await commandSources(), {
      ...(since !== undefined && { sinceMs: since }),
      ...(partition !== undefined && { partition }),
      signal: stop.signal,
      onProgress: (text) => note(text),
    });
    if (found === undefined) return;
    if (json) printJson(found);
    else for (const each of found) print(textOf(each));
    if (found.some(({ differences }) => differences.length > 0)) process.exitCode = exitCodes.problem;
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = exitCodes.interrupted;
  } finally {
    endWatch();
  }
}

function textOf({ partition, from, to, events, keys, differences }: PartitionReplay): string {
  const range = `partition ${partition}: ${events} events of the offsets ${from} to ${to}`;
  if (differences.length === 0) return `${range} lead to the state that is there (${keys} keys)`;
  const lines = differences.slice(0, shown).map(differenceText);
  const more = differences.length > shown ? [`  and ${differences.length - shown} more (--json has them all)`] : [];
  return [`${range} ${red('lead to another state')}: ${differences.length} of ${keys} keys`, ...lines, ...more].join(
    '\n',
  );
}

function differenceText({ key, live, replayed }: Difference): string {
  return `  ${key}\n    there     ${JSON.stringify(live) ?? '-'}\n    expected  ${JSON.stringify(replayed) ?? '-'}`;
}

function service(name: string): string {
  if (!Object.hasOwn(replays, name))
    throw new InvalidArgumentError(`expected one of ${Object.keys(replays).join(', ')}`);
  return name;
}

function time(text: string): number {
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) throw new InvalidArgumentError('expected a time such as 2026-11-23T12:00:00Z');
  return atMs;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}
