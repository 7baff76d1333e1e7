import { bold, dim, green, red, table } from '../output.ts';
import type { SendCounts } from '../traffic-sender.ts';
import type { Found } from './topics.ts';

/** One thing that must hold at the end. */
interface Claim {
  readonly says: string;
  readonly holds: boolean;
}

/** What must hold at the end of the demo, by what was sent and what stands on the topics. */
export function claims({ sent, redelivered, acknowledged }: SendCounts, found: Found): readonly Claim[] {
  const different = sent - redelivered;
  return [
    { says: `every delivery was acknowledged: ${acknowledged} of ${sent}`, holds: acknowledged === sent },
    {
      says: `every callback is on the topic: ${found.distinctVerdicts} of ${different} different ones`,
      holds: found.distinctVerdicts === different,
    },
    {
      says: `every callback is counted once: ${found.counted} of ${found.distinctVerdicts}`,
      holds: found.counted === found.distinctVerdicts,
    },
    {
      says: `every blocked callback is a strike: ${found.distinctStrikes} of ${found.distinctBlocked}`,
      holds: found.distinctStrikes === found.distinctBlocked,
    },
    {
      says: `penalties came to a decision: ${found.decisions.length}`,
      holds: found.decisions.length > 0,
    },
    {
      says: `an alert fired and is resolved: ${statuses(found) || 'none'}`,
      holds: hasStatus(found, 'FIRING') && hasStatus(found, 'RESOLVED'),
    },
    { says: `no dead letters: ${found.deadLetters}`, holds: found.deadLetters === 0 },
  ];
}

/** The end of the demo for people. */
export function summary(counts: SendCounts, found: Found): readonly string[] {
  const { sent, redelivered, acknowledged, repeated, tookMs } = counts;
  const rate = `${((1000 * acknowledged) / tookMs).toFixed(1)}/s`;
  const doubled = found.verdicts - acknowledged;
  const numbers = [
    ['sent', String(sent), `${sent - redelivered} different callbacks, ${redelivered} delivered again`],
    ['acknowledged', String(acknowledged), repeated === 0 ? rate : `${rate}, ${repeated} attempts had to be repeated`],
    [
      'on the topic',
      String(found.verdicts),
      doubled === 0 ? '' : `${doubled} doubled: written, but not acknowledged in time`,
    ],
    ['counted', String(found.counted), found.byLabel.map(([label, count]) => `${label} ${count}`).join(', ')],
    ['strikes', String(found.distinctStrikes), doubles(found.strikes - found.distinctStrikes)],
  ];
  return [
    '',
    bold('What came of it'),
    '',
    ...table(numbers)
      .split('\n')
      .map((line) => `  ${line}`),
    '',
    ...claims(counts, found).map(({ says, holds }) => `  ${holds ? green('yes') : red('NO ')}  ${says}`),
    ...(found.decisions[0] === undefined ? [] : ['', `  ${dim('for example:')} ${found.decisions[0].reason}`]),
    '',
  ];
}

function doubles(count: number): string {
  return count === 0 ? 'each once, deliveries that came again do not count' : `${count} written twice`;
}

function hasStatus({ alerts }: Found, status: string): boolean {
  return alerts.some((alert) => alert.status === status);
}

function statuses({ alerts }: Found): string {
  return alerts.map(({ status }) => status).join(', ');
}
