import type { Outcome, Round } from './contest.ts';
import { ratios } from './figures.ts';
import {
  brokerCpuPer100k,
  cpuPer100k,
  disturbance,
  figures,
  percentOf,
  type Report,
  senderCores,
  setting,
  shown,
} from './report.ts';

/** The result for a terminal; figures are medians, with the least and the most of the rounds. */
export function tableOf({ about, outcomes }: Report, limitName: string): string {
  const limit = outcomes.find(({ name }) => name === limitName);
  return [
    setting(about),
    '',
    'Closed loop',
    ...aligned([
      [
        '',
        'CPU s / 100k',
        'per CPU s, of the limit',
        'requests/s',
        'p50 ms',
        'p99 ms',
        'p99.9 ms',
        'broker CPU s / 100k',
      ],
      ...outcomes.map((outcome) => [
        outcome.title,
        shown(cpuPer100k(outcome.closed), 2),
        shown(percentOf(limit, outcome), 0, ' %'),
        shown(figures(outcome.closed, 'perSecond'), 0),
        shown(figures(outcome.closed, 'p50Ms'), 1),
        shown(figures(outcome.closed, 'p99Ms'), 1),
        shown(figures(outcome.closed, 'p999Ms'), 1),
        outcome.check === undefined ? '–' : shown(brokerCpuPer100k(outcome.closed), 2),
      ]),
    ]),
    '',
    `Open loop, ${about.fixedRate} a second: ms since a request was due`,
    ...openTable(outcomes, limit, ({ atFixedRate }) => atFixedRate),
    '',
    'Open loop, half of what each takes in the closed one: ms since a request was due',
    ...openTable(outcomes, undefined, ({ atHalf }) => atHalf),
    '',
    'Memory and records',
    ...aligned([
      ['', 'MiB at the end', 'most MiB', 'answered 200', 'records', 'more, of those cut off', ''],
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
    disturbance(outcomes),
    ...about.missing,
  ].join('\n');
}

function openTable(
  outcomes: readonly Outcome[],
  limit: Outcome | undefined,
  roundsOf: (outcome: Outcome) => readonly Round[],
): readonly string[] {
  const p99s = (outcome: Outcome): readonly number[] => figures(roundsOf(outcome), 'p99Ms');
  return aligned([
    [
      '',
      'a second',
      'p50',
      'p99',
      'p99.9',
      ...(limit === undefined ? [] : ['p99 to the limit']),
      'CPU s / 100k',
      'cores of the sender',
    ],
    ...outcomes.map((outcome) => {
      const rounds = roundsOf(outcome);
      return [
        outcome.title,
        shown(figures(rounds, 'perSecond'), 0),
        shown(figures(rounds, 'p50Ms'), 1),
        shown(p99s(outcome), 1),
        shown(figures(rounds, 'p999Ms'), 1),
        ...(limit === undefined ? [] : [shown(ratios(p99s(outcome), p99s(limit)), 1, 'x')]),
        shown(cpuPer100k(rounds), 2),
        shown(senderCores(rounds), 2),
      ];
    }),
  ]);
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
