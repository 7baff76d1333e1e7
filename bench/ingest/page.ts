import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { barPicture } from './chart.ts';
import { ratios, spreadOf } from './figures.ts';
import { cpuPer100k, disturbance, figures, perCpuSecond, percentOf, type Report, setting, shown } from './report.ts';

const docs = join(import.meta.dirname, '../../docs');
const picture = 'bench-ingest.svg';

/** Puts the result into docs/benchmarks.md and draws docs/bench-ingest.svg. */
export function writePage(report: Report, limitName: string): void {
  const page = join(docs, 'benchmarks.md');
  writeFileSync(page, withBlock(readFileSync(page, 'utf8'), blockOf(report, limitName)));
  writeFileSync(join(docs, picture), pictureOf(report));
}

/**
 * `text` with `block` between the comments that mark its place.
 *
 * @throws {Error} where they are missing.
 */
export function withBlock(text: string, block: string): string {
  const place = /(<!-- bench-ingest:begin[^>]*-->\n)[\s\S]*?(<!-- bench-ingest:end -->)/;
  if (!place.test(text)) throw new Error('docs/benchmarks.md has no comments bench-ingest:begin and bench-ingest:end');
  return text.replace(place, (_whole, begin: string, end: string) => `${begin}${block}\n${end}`);
}

function blockOf({ about, outcomes }: Report, limitName: string): string {
  const limit = outcomes.find(({ name }) => name === limitName);
  const p99s = limit === undefined ? [] : figures(limit.atFixedRate, 'p99Ms');
  const closed = [
    [
      '',
      'CPU s per 100,000',
      'per CPU second, of the limit',
      'requests/s',
      'p50 ms',
      'p99 ms',
      'MiB',
      'records − answered 200',
    ],
    ...outcomes.map((outcome) => [
      outcome.title,
      shown(cpuPer100k(outcome.closed), 2),
      shown(percentOf(limit, outcome), 0, ' %'),
      shown(figures(outcome.closed, 'perSecond'), 0),
      shown(figures(outcome.closed, 'p50Ms'), 1),
      shown(figures(outcome.closed, 'p99Ms'), 1),
      outcome.residentMib.toFixed(0),
      outcome.check === undefined
        ? '–'
        : `${outcome.check.records - outcome.check.acknowledged}${outcome.check.isRight ? '' : ' **wrong**'}`,
    ]),
  ];
  const open = [
    [
      '',
      `${about.fixedRate}/s: p50 ms`,
      'p99 ms',
      'p99.9 ms',
      'p99 to the limit',
      'at half of its own most',
      'p99 ms',
      'p99.9 ms',
    ],
    ...outcomes.map(({ title, atFixedRate, atHalf, halfRate }) => [
      title,
      shown(figures(atFixedRate, 'p50Ms'), 1),
      shown(figures(atFixedRate, 'p99Ms'), 1),
      shown(figures(atFixedRate, 'p999Ms'), 1),
      shown(ratios(figures(atFixedRate, 'p99Ms'), p99s), 1, 'x'),
      `${halfRate}/s`,
      shown(figures(atHalf, 'p99Ms'), 1),
      shown(figures(atHalf, 'p999Ms'), 1),
    ]),
  ];
  const cutOff = Math.max(0, ...outcomes.map(({ check }) => check?.cutOff ?? 0));
  return [
    `![${pictureTitle}](${picture})`,
    '',
    `${setting(about)} Median (least–most) of the rounds.`,
    '',
    ...markdown(closed),
    '',
    ...markdown(open),
    '',
    [
      disturbance(outcomes),
      ...(cutOff === 0
        ? []
        : [
            `${about.closedLoopBy} cut off up to ${cutOff} requests of each on their way: those may be records without an answer.`,
          ]),
      ...about.missing.map((line) => `${line}.`),
    ].join(' '),
  ].join('\n');
}

const pictureTitle = 'What one second of processor time does, and how long a callback takes';

function pictureOf({ about, outcomes }: Report): string {
  return barPicture(
    pictureTitle,
    `Median and range of ${about.rounds} rounds of ${about.seconds} s in one run: ${about.processor}, ${about.cores} cores, broker and sender on the same machine`,
    outcomes,
    [
      {
        title: 'events per CPU second (more is better)',
        spreads: outcomes.map(({ closed }) => spreadOf(perCpuSecond(closed))),
        digits: 0,
      },
      {
        title: `p99 at ${about.fixedRate.toLocaleString('en')} a second, ms (less is better)`,
        spreads: outcomes.map(({ atFixedRate }) => spreadOf(figures(atFixedRate, 'p99Ms'))),
        digits: 1,
      },
    ],
  );
}

function markdown([head = [], ...rows]: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|---|${'--:|'.repeat(head.length - 1)}`, ...rows.map(line)];
}
