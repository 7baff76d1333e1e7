import type { WindowCount } from './series.ts';

/** What an alert's sentence is made of. */
export interface AlertFacts {
  readonly label: string;
  readonly status: 'FIRING' | 'RESOLVED';
  readonly windowMs: number;
  readonly verdicts: number;
  readonly senders: number;
  readonly expected: number;
  readonly lastedMs: number;
}

export function summaryOf({ label, status, windowMs, verdicts, senders, expected, lastedMs }: AlertFacts): string {
  const what = label === '' ? 'Abuse without a label' : `Abuse with label ${label}`;
  if (status === 'RESOLVED')
    return `${what} is back to ${verdicts} verdicts in ${seconds(windowMs)} s after ${seconds(lastedMs)} s.`;
  return `${what}: ${verdicts} verdicts by ${senders} senders in ${seconds(windowMs)} s, ${Number(expected.toFixed(1))} are usual.`;
}

export function summaryZhOf({ label, status, windowMs, verdicts, senders, expected, lastedMs }: AlertFacts): string {
  const what = label === '' ? '无标签的违规内容' : `标签为 ${label} 的违规内容`;
  if (status === 'RESOLVED')
    return `${what}在 ${seconds(lastedMs)} 秒后回落到 ${seconds(windowMs)} 秒内 ${verdicts} 条。`;
  return `${what}激增：${seconds(windowMs)} 秒内 ${senders} 个发送者共 ${verdicts} 条，平时为 ${Number(expected.toFixed(1))} 条。`;
}

/** How many of each kind an alert names. */
const namedContributors = 5;

/** The senders and scenes with the most verdicts. */
export function contributorsOf({ senders, scenes }: WindowCount): Record<string, number> {
  return Object.fromEntries([...most('sender', senders), ...most('scene', scenes)]);
}

function most(kind: string, counts: ReadonlyMap<string, number>): readonly [string, number][] {
  const sorted = Array.from(counts).toSorted(([a, aCount], [b, bCount]) => bCount - aCount || (a < b ? -1 : 1));
  return sorted.slice(0, namedContributors).map(([name, count]) => [`${kind}/${name}`, count]);
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
