import type { Outcome, Round } from './contest.ts';
import { ratios, type Spread, spreadOf } from './figures.ts';

/** The result of one run. */
export interface Report {
  readonly about: About;
  readonly outcomes: readonly Outcome[];
}

/** Where and how a run took place. */
export interface About {
  readonly at: string;
  readonly node: string;
  readonly cores: number;
  readonly processor: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly fixedRate: number;
  readonly loader: string;
  /** What was not measured and why, a line each. */
  readonly missing: readonly string[];
}

/** Processor seconds of the server for 100,000 requests answered 200, round by round. */
export function cpuPer100k({ closed }: Outcome): readonly number[] {
  return closed.map(({ cpuSeconds, acknowledged }) => (100_000 * cpuSeconds) / acknowledged);
}

/** Requests answered 200 in a second of the server's processor time, in percent of what the limit does in the same round. */
export function ofTheLimit(outcome: Outcome, limit: Outcome | undefined): readonly number[] {
  return limit === undefined ? [] : ratios(cpuPer100k(limit), cpuPer100k(outcome)).map((ratio) => 100 * ratio);
}

/** The result for people. */
export function tableOf({ about, outcomes }: Report, limitName: string): string {
  const limit = outcomes.find(({ name }) => name === limitName);
  return [
    `${about.processor}, ${about.cores} cores, Node ${about.node}; ${about.rounds} rounds of ${about.seconds} s, ${about.loader}`,
    '',
    'Closed loop, 64 connections: median (min–max)',
    ...aligned([
      [
        '',
        'CPU s / 100k',
        'events per CPU s, of the limit',
        'requests/s',
        'p50 ms',
        'p99 ms',
        'p99.9 ms',
        'broker CPU s / 100k',
      ],
      ...outcomes.map((outcome) => [
        outcome.title,
        shown(spreadOf(cpuPer100k(outcome)), 2),
        shown(spreadOf(ofTheLimit(outcome, limit)), 0, ' %'),
        shown(of(outcome.closed, 'perSecond'), 0),
        shown(of(outcome.closed, 'p50Ms'), 1),
        shown(of(outcome.closed, 'p99Ms'), 1),
        shown(of(outcome.closed, 'p999Ms'), 1),
        outcome.check === undefined ? '–' : brokerCpu(outcome.closed),
      ]),
    ]),
    '',
    `Open loop, ${about.fixedRate} a second: ms since a request was due`,
    ...openTable(outcomes, limit, ({ atFixedRate }) => atFixedRate),
    '',
    'Open loop, half of what each takes in the closed one: ms since a request was due',
    ...openTable(outcomes, limit, ({ atHalf }) => atHalf),
    '',
    'Memory and records',
    ...aligned([
      ['', 'MiB at the end', 'most MiB', 'answered 200', 'records', 'beyond, of cut off', ''],
      ...outcomes.map(({ title, residentMib, mostResidentMib, check }) => [
        title,
        residentMib.toFixed(0),
        mostResidentMib.toFixed(0),
        ...(check === undefined
          ? ['–', '–', '–', '']
          : [
              String(check.acknowledged),
              String(check.records),
              `${check.records - check.acknowledged} of ${check.cutOff}`,
              check.isRight ? 'right' : 'WRONG',
            ]),
      ]),
    ]),
    '',
    footer(outcomes),
    ...about.missing,
  ].join('\n');
}

function openTable(
  outcomes: readonly Outcome[],
  limit: Outcome | undefined,
  roundsOf: (outcome: Outcome) => readonly Round[],
): readonly string[] {
  const p99s = (outcome: Outcome): readonly number[] => roundsOf(outcome).map(({ p99Ms }) => p99Ms);
  const limits = limit === undefined ? [] : p99s(limit);
  return aligned([
    ['', 'a second', 'p50', 'p99', 'p99.9', 'p99 to the limit', 'CPU s / 100k', 'cores of the sender'],
    ...outcomes.map((outcome) => {
      const rounds = roundsOf(outcome);
      return [
        outcome.title,
        shown(of(rounds, 'perSecond'), 0),
        shown(of(rounds, 'p50Ms'), 1),
        shown(of(rounds, 'p99Ms'), 1),
        shown(of(rounds, 'p999Ms'), 1),
        shown(spreadOf(ratios(p99s(outcome), limits)), 1, 'x'),
        shown(spreadOf(rounds.map(({ cpuSeconds, acknowledged }) => (100_000 * cpuSeconds) / acknowledged)), 2),
        shown(spreadOf(rounds.map(senderCores)), 2),
      ];
    }),
  ]);
}

function senderCores({ senderCpuSeconds, acknowledged, perSecond }: Round): number {
  return (senderCpuSeconds * perSecond) / acknowledged;
}

function footer(outcomes: readonly Outcome[]): string {
  const rounds = outcomes.flatMap(({ closed, atFixedRate, atHalf }) => [...closed, ...atFixedRate, ...atHalf]);
  const failed = rounds.reduce((sum, round) => sum + round.failed, 0);
  const cores = spreadOf(rounds.map(({ otherCores }) => otherCores));
  return `Not answered 200: ${failed}. Other processes took ${shown(cores, 2)} cores meanwhile.`;
}

function brokerCpu(rounds: readonly Round[]): string {
  const costs = rounds.flatMap(({ brokerCpuSeconds, acknowledged }) =>
    brokerCpuSeconds === undefined ? [] : [(100_000 * brokerCpuSeconds) / acknowledged],
  );
  return costs.length === 0 ? 'not known' : shown(spreadOf(costs), 2);
}

function of(rounds: readonly Round[], field: 'perSecond' | 'p50Ms' | 'p99Ms' | 'p999Ms'): Spread {
  return spreadOf(rounds.map((round) => round[field]));
}

function shown({ median, min, max }: Spread, digits: number, unit = ''): string {
  return `${median.toFixed(digits)}${unit} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** Rows with columns as wide as they need. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart((widths[column] ?? 0) + 2)))
      .join('')
      .trimEnd(),
  );
}
