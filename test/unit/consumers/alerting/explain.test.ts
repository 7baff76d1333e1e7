import { describe, expect, it } from 'vitest';
import { type AlertFacts, contributorsOf, summaryOf, summaryZhOf } from '../../../../consumers/alerting/explain.ts';

const firing: AlertFacts = {
  label: 'Ad',
  status: 'FIRING',
  windowMs: 60_000,
  verdicts: 90,
  senders: 42,
  expected: 12.34,
  lastedMs: 0,
};
const resolved: AlertFacts = { ...firing, status: 'RESOLVED', verdicts: 7, lastedMs: 184_600 };

describe('the sentence of an alert', () => {
  it.each([
    [
      'that begins',
      firing,
      'Abuse with label Ad: 90 verdicts by 42 senders in 60 s, 12.3 are usual.',
      '标签为 Ad 的违规内容激增：60 秒内 42 个发送者共 90 条，平时为 12.3 条。',
    ],
    [
      'that begins, without a label and where nothing is usual',
      { ...firing, label: '', expected: 0 },
      'Abuse without a label: 90 verdicts by 42 senders in 60 s, 0 are usual.',
      '无标签的违规内容激增：60 秒内 42 个发送者共 90 条，平时为 0 条。',
    ],
    [
      'that is over',
      resolved,
      'Abuse with label Ad is back to 7 verdicts in 60 s after 185 s.',
      '标签为 Ad 的违规内容在 185 秒后回落到 60 秒内 7 条。',
    ],
    [
      'that is over, without a label',
      { ...resolved, label: '' },
      'Abuse without a label is back to 7 verdicts in 60 s after 185 s.',
      '无标签的违规内容在 185 秒后回落到 60 秒内 7 条。',
    ],
  ])('%s stands in English and Chinese', (_which, facts, english, chinese) => {
    expect(summaryOf(facts)).toBe(english);
    expect(summaryZhOf(facts)).toBe(chinese);
  });
});

describe('the contributors', () => {
  it('are the five senders and scenes with the most verdicts, equal ones by name', () => {
    const senders = new Map([
      ['f', 1],
      ['e', 1],
      ['d', 1],
      ['c', 1],
      ['b', 2],
      ['a', 1],
    ]);
    const scenes = new Map([
      ['C2C', 3],
      ['Group', 4],
    ]);
    expect(Object.entries(contributorsOf({ verdicts: 7, senders, scenes }))).toEqual([
      ['sender/b', 2],
      ['sender/a', 1],
      ['sender/c', 1],
      ['sender/d', 1],
      ['sender/e', 1],
      ['scene/Group', 4],
      ['scene/C2C', 3],
    ]);
  });
});
