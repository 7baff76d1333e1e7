import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import { processEnvironment } from '../../lib/config/sources.ts';
import type { Outcome } from './scenario.ts';

const columns: readonly (readonly [title: string, of: (outcome: Outcome) => string | number])[] = [
  ['sent', ({ sent }) => sent],
  ['acknowledged', ({ acknowledged }) => acknowledged],
  ['lost', ({ lost }) => lost],
  ['out of order', ({ outOfOrder }) => outOfOrder],
  ['duplicates', ({ duplicates }) => duplicates],
  ['refused', ({ refused }) => refused],
  ['no answer', ({ unanswered }) => unanswered],
  ['p99 ms', ({ p99Ms }) => p99Ms],
  ['longest ms', ({ longestMs }) => longestMs],
  ['recovery s', ({ recoveryMs }) => (recoveryMs / 1000).toFixed(1)],
  ['kafka/disk/none', ({ answers }) => `${answers.kafka}/${answers.disk}/${answers.none}`],
];

/** Prints what the scenarios of a run have shown as one table, and writes it as JSON to the file FAULT_JSON where that is set. */
export default class FaultTableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const outcomes = modules
      .flatMap((module) => Array.from(module.children.allTests()))
      .flatMap((test) => test.meta().fault ?? []);
    const [first] = outcomes;
    if (first === undefined) return;
    const file = processEnvironment()['FAULT_JSON'];
    if (file !== undefined && file !== '') writeFileSync(file, `${JSON.stringify(outcomes, null, 2)}\n`);
    process.stdout.write(`\nFaults, ${first.perSecond} a second for ${first.seconds} s\n${tableOf(outcomes)}\n`);
  }
}

function tableOf(outcomes: readonly Outcome[]): string {
  const rows = [
    ['', ...columns.map(([title]) => title)],
    ...outcomes.map((outcome) => [outcome.scenario, ...columns.map(([, of]) => String(of(outcome)))]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(cell).join('  ')).join('\n');
}
