import { describe, expect, it } from 'vitest';
import { RedrivePlan } from '../../../../cli/dead-letters/plan.ts';
import { retranslate } from '../../../../cli/dead-letters/retranslate.ts';
import { planText } from '../../../../cli/dead-letters/texts.ts';
import type { DeadLetter } from '../../../../schemas/generated/events.ts';
import { receivedAtMs, someRules, verdictCommand } from '../../../support/callbacks.ts';
import { aLetter, placed } from '../../../support/dead-letters.ts';

const bad = Buffer.from('{"CtxcbResult":7}');
const id = (digit: string): string => digit.repeat(32);

function planOf(...letters: readonly DeadLetter[]): RedrivePlan {
  const plan = new RedrivePlan(({ topic }) => `im.${topic}.v1`);
  for (const each of placed(...letters)) plan.add(each, retranslate(each.letter, someRules()));
  return plan;
}

describe('the plan of a redrive', () => {
  const plan = planOf(
    aLetter({ eventId: id('1') }),
    aLetter({ eventId: id('2') }),
    aLetter({ eventId: id('3'), body: bad }),
    aLetter({ eventId: id('4'), body: null }),
  );

  it('counts alike dead letters by what becomes of them, the most first', () => {
    expect(plan.groups).toMatchObject([
      {
        outcome: 'event',
        letters: 2,
        records: 2,
        topics: ['im.verdict.v1'],
        reason: 'FIELD_INVALID',
        command: verdictCommand,
      },
      { outcome: 'stays', letters: 1, records: 0, today: { reason: 'FIELD_INVALID', fieldPath: '/CtxcbResult' } },
      { outcome: 'not-kept', letters: 1, records: 0, why: 'its body was not kept (IMWATCH_TEXT=none)' },
    ]);
    expect(plan).toMatchObject({ size: 4, writing: 2, staying: 2, repeated: 0 });
  });

  it('is shown a line for each', () => {
    expect(
      planText(plan.groups)
        .split('\n')
        .map((line) => line.replaceAll(/ {2,}/g, ' | ')),
    ).toEqual([
      'count | service | reason | command | today',
      `2 | ingest | FIELD_INVALID | ${verdictCommand} | 2 events on im.verdict.v1`,
      `1 | ingest | FIELD_INVALID | ${verdictCommand} | stays: FIELD_INVALID /CtxcbResult is a number, expected 0 (let through) or 1 (intercepted); it is 7`,
      `1 | ingest | FIELD_INVALID | ${verdictCommand} | cannot be redriven: its body was not kept (IMWATCH_TEXT=none)`,
    ]);
  });

  it('takes only those that something is written for', () => {
    const letters = placed(aLetter({ eventId: id('1') }), aLetter({ eventId: id('2'), body: bad }));
    const small = planOf(...letters.map(({ letter }) => letter));
    expect(letters.map((each) => small.takes(each))).toEqual([true, false]);
  });

  it('takes the first of several deliveries of a callback', () => {
    const letters = placed(aLetter(), aLetter({ receivedAt: receivedAtMs + 5 }), aLetter());
    const repeated = planOf(...letters.map(({ letter }) => letter));
    expect(repeated).toMatchObject({ size: 1, writing: 1, repeated: 2 });
    expect(letters.map((each) => repeated.takes(each))).toEqual([true, false, false]);
  });

  it('takes a later delivery when nothing can be made of the first', () => {
    const letters = placed(aLetter({ body: null }), aLetter(), aLetter({ body: null }));
    const repeated = planOf(...letters.map(({ letter }) => letter));
    expect(repeated).toMatchObject({ size: 1, writing: 1, staying: 0 });
    expect(repeated.groups).toMatchObject([{ outcome: 'event', letters: 1 }]);
    expect(letters.map((each) => repeated.takes(each))).toEqual([false, true, false]);
  });

  it('can be cut to the latest', () => {
    const letters = placed(
      aLetter({ eventId: id('1'), firstFailedAt: receivedAtMs + 2 }),
      aLetter({ eventId: id('2'), firstFailedAt: receivedAtMs + 3 }),
      aLetter({ eventId: id('3'), firstFailedAt: receivedAtMs + 1 }),
    );
    const cut = planOf(...letters.map(({ letter }) => letter));
    cut.keepLatest(2);
    expect(letters.map((each) => cut.takes(each))).toEqual([true, true, false]);
    expect(cut).toMatchObject({ size: 2, repeated: 0 });
  });

  it('has a batch of which some items are still bad staying as well', () => {
    const body = Buffer.from('{"Events":[{"EventTime":1},{"EventTime":2},5]}');
    const partly = planOf(
      aLetter({ command: 'Push.OfflinePush', query: 'CallbackCommand=Push.OfflinePush', fieldPath: '/Events', body }),
    );
    expect(partly).toMatchObject({ writing: 1, staying: 1 });
    expect(partly.groups).toMatchObject([
      { outcome: 'partly', letters: 1, records: 2, today: { fieldPath: '/Events/2' } },
    ]);
  });
});
