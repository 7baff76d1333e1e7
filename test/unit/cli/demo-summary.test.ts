import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { claims, summary } from '../../../cli/demo/summary.ts';
import type { Found } from '../../../cli/demo/topics.ts';
import type { SendCounts } from '../../../cli/traffic-sender.ts';
import type { Alert, LedgerEntry } from '../../../schemas/generated/events.ts';

/** 10 deliveries of 8 callbacks, one of them doubled on the topic, 4 blocked. */
const sent: SendCounts = {
  sent: 10,
  redelivered: 2,
  acknowledged: 10,
  repeated: 0,
  tookMs: 4_000,
  byCommand: { 'ContentCallback.ResultNotify': 10 },
  lastFailure: undefined,
};

const decision = { reason: 'Mute until tomorrow' } as LedgerEntry;
const [firing, resolved] = [{ status: 'FIRING' }, { status: 'RESOLVED' }] as [Alert, Alert];

const found: Found = {
  verdicts: 11,
  distinctVerdicts: 8,
  distinctBlocked: 4,
  counted: 8,
  byLabel: [
    ['Ad', 5],
    ['-', 3],
  ],
  strikes: 4,
  distinctStrikes: 4,
  decisions: [decision],
  alerts: [firing, resolved],
  deadLetters: 0,
};

/** What is claimed and does not hold. */
function failing(counts: Partial<SendCounts>, other: Partial<Found> = {}): readonly string[] {
  return claims({ ...sent, ...counts }, { ...found, ...other })
    .filter(({ holds }) => !holds)
    .map(({ says }) => says);
}

function linesOf(counts: Partial<SendCounts> = {}, other: Partial<Found> = {}): readonly string[] {
  return summary({ ...sent, ...counts }, { ...found, ...other }).map((line) => stripVTControlCharacters(line).trim());
}

describe('the claims of the demo', () => {
  it('hold when the numbers balance, deliveries that came again and records that were doubled included', () => {
    expect(failing({})).toEqual([]);
    expect(claims(sent, found).map(({ says }) => says)).toEqual([
      'every delivery was acknowledged: 10 of 10',
      'every callback is on the topic: 8 of 8 different ones',
      'every callback is counted once: 8 of 8',
      'every blocked callback is a strike: 4 of 4',
      'penalties came to a decision: 1',
      'an alert fired and is resolved: FIRING, RESOLVED',
      'no dead letters: 0',
    ]);
  });

  it.each<[string, Partial<SendCounts>, Partial<Found>]>([
    ['every delivery was acknowledged: 9 of 10', { acknowledged: 9 }, {}],
    ['every callback is on the topic: 7 of 8 different ones', {}, { distinctVerdicts: 7, counted: 7 }],
    ['every callback is on the topic: 9 of 8 different ones', {}, { distinctVerdicts: 9, counted: 9 }],
    ['every callback is counted once: 7 of 8', {}, { counted: 7 }],
    ['every callback is counted once: 9 of 8', {}, { counted: 9 }],
    ['every blocked callback is a strike: 3 of 4', {}, { distinctStrikes: 3 }],
    ['every blocked callback is a strike: 5 of 4', {}, { distinctStrikes: 5 }],
    ['penalties came to a decision: 0', {}, { decisions: [] }],
    ['an alert fired and is resolved: none', {}, { alerts: [] }],
    ['an alert fired and is resolved: FIRING', {}, { alerts: [firing] }],
    ['an alert fired and is resolved: RESOLVED', {}, { alerts: [resolved] }],
    ['no dead letters: 1', {}, { deadLetters: 1 }],
  ])('fail one by one: %s', (says, counts, other) => {
    expect(failing(counts, other)).toEqual([says]);
  });
});

describe('the summary', () => {
  it('shows the numbers, the claims, and a decision as an example', () => {
    expect(linesOf()).toEqual([
      '',
      'What came of it',
      '',
      'sent          10  8 different callbacks, 2 delivered again',
      'acknowledged  10  2.5/s',
      'on the topic  11  1 doubled: written, but not acknowledged in time',
      'counted       8   Ad 5, - 3',
      'strikes       4   each once, deliveries that came again do not count',
      '',
      ...claims(sent, found).map(({ says }) => `yes  ${says}`),
      '',
      'for example: Mute until tomorrow',
      '',
    ]);
  });

  it('says what had to be repeated, what was written twice, and what does not hold', () => {
    const lines = linesOf({ repeated: 3 }, { verdicts: 10, counted: 9, strikes: 6, decisions: [] });
    expect(lines).toContain('acknowledged  10  2.5/s, 3 attempts had to be repeated');
    expect(lines).toContain('on the topic  10');
    expect(lines).toContain('strikes       4   2 written twice');
    expect(lines).toContain('NO   every callback is counted once: 9 of 8');
    expect(lines.at(-2)).toBe('yes  no dead letters: 0');
  });
});
