import { describe, expect, it } from 'vitest';
import { Detector, type RateRule } from '../../../../consumers/alerting/detector.ts';
import type { Alert, ContentVerdict } from '../../../../schemas/generated/events.ts';
import { sdkAppId, receivedAtMs as startMs } from '../../../support/callbacks.ts';
import { aVerdict } from '../../../support/verdicts.ts';

const rule: RateRule = { windowMs: 10_000, minVerdicts: 10, minSenders: 3, minRatio: 3 };
const { windowMs } = rule;

/** Adds verdicts at one time, by senders who take turns. */
function add(
  detector: Detector,
  count: number,
  { atMs, senders = 3, ...more }: { atMs: number; senders?: number } & Partial<ContentVerdict>,
): void {
  for (let number = 0; number < count; number += 1) {
    detector.add(aVerdict({ ...more, receivedAt: atMs, fromAccount: `sender-${number % senders}` }));
  }
}

/** Adds 4 verdicts to each of the ten windows from `beginMs` on. */
function addUsual(detector: Detector, beginMs: number): void {
  for (let ms = 0; ms < 10 * windowMs; ms += windowMs / 4) add(detector, 1, { atMs: beginMs + ms });
}

/** End of the window behind the ten of `addUsual(startMs)`. */
const nowMs = startMs + 11 * windowMs - 1;

/** A detector that has seen ten usual windows and fires at `nowMs`: 12 is three times what is usual. */
function firing() {
  const detector = new Detector(rule);
  addUsual(detector, startMs);
  add(detector, 12, { atMs: nowMs });
  const [alert] = detector.changes(nowMs);
  if (alert === undefined) throw new Error('Expected an alert');
  return { detector, alert };
}

function statuses(alerts: readonly Alert[]): readonly string[] {
  return alerts.map(({ status }) => status);
}

describe('a verdict', () => {
  it.each([
    ['blocked', { result: 'BLOCKED', suggestion: 'PASS' }, true],
    ['that should have been blocked', { result: 'PASSED', suggestion: 'BLOCK' }, true],
    ['to be reviewed', { result: 'PASSED', suggestion: 'REVIEW' }, false],
    ['without advice', { result: 'PASSED', suggestion: null }, false],
  ] as const)('%s counts or not', (_what, more, counts) => {
    expect(new Detector(rule).add(aVerdict(more))).toBe(counts);
  });
});

describe('an incident', () => {
  it('begins with enough verdicts of enough senders, and the alert says what was seen', () => {
    const detector = new Detector(rule);
    add(detector, 9, { atMs: startMs });
    expect(detector.changes(startMs)).toEqual([]);
    add(detector, 1, { atMs: startMs, senders: 1, scene: null });
    expect(detector.changes(startMs + 500)).toEqual([
      {
        fingerprint: `abuse-rate/${sdkAppId}/Ad`,
        rule: 'abuse-rate',
        status: 'FIRING',
        severity: 'warning',
        sdkAppId,
        labels: { label: 'Ad' },
        startedAt: startMs + 500,
        changedAt: startMs + 500,
        observed: 10,
        expected: 0,
        ratio: 10,
        distinctSenders: 3,
        summary: 'Abuse with label Ad: 10 verdicts by 3 senders in 10 s, 0 are usual.',
        summaryZh: '标签为 Ad 的违规内容激增：10 秒内 3 个发送者共 10 条，平时为 0 条。',
        contributors: {
          'sender/sender-0': 4,
          'sender/sender-1': 3,
          'sender/sender-2': 3,
          'scene/': 1,
          'scene/Group': 9,
        },
      },
    ]);
  });

  it('needs several senders: one user alone is a matter of penalties', () => {
    const detector = new Detector(rule);
    add(detector, 100, { atMs: startMs, senders: 2 });
    expect(detector.changes(startMs)).toEqual([]);
    detector.add(aVerdict({ receivedAt: startMs, fromAccount: 'third' }));
    expect(statuses(detector.changes(startMs))).toEqual(['FIRING']);
  });

  it('needs several times what is usual', () => {
    const detector = new Detector(rule);
    addUsual(detector, startMs);
    add(detector, 11, { atMs: nowMs });
    expect(detector.changes(nowMs)).toEqual([]);
    add(detector, 1, { atMs: nowMs });
    expect(detector.changes(nowMs)).toMatchObject([{ status: 'FIRING', observed: 12, expected: 4, ratio: 3 }]);
  });

  it('is by app and label', () => {
    const detector = new Detector(rule);
    add(detector, 9, { atMs: startMs });
    add(detector, 9, { atMs: startMs, label: 'Porn' });
    add(detector, 9, { atMs: startMs, sdkAppId: 1 });
    expect(detector.changes(startMs)).toEqual([]);
    add(detector, 1, { atMs: startMs, label: 'Porn' });
    add(detector, 1, { atMs: startMs, sdkAppId: 1 });
    add(detector, 10, { atMs: startMs, label: null });
    expect(detector.changes(startMs).map(({ fingerprint, labels }) => [fingerprint, labels])).toEqual([
      [`abuse-rate/${sdkAppId}/Porn`, { label: 'Porn' }],
      ['abuse-rate/1/Ad', { label: 'Ad' }],
      [`abuse-rate/${sdkAppId}/`, { label: '' }],
    ]);
  });

  it('fires once, however long it lasts and however much it grows', () => {
    const { detector } = firing();
    for (let ms = 1_000; ms <= 20 * windowMs; ms += 1_000) {
      add(detector, 10, { atMs: nowMs + ms });
      expect(detector.changes(nowMs + ms)).toEqual([]);
    }
  });

  it('is over, once, when the window holds less than half of what began it', () => {
    const { detector, alert } = firing();
    const laterMs = nowMs + windowMs;
    add(detector, 6, { atMs: laterMs });
    expect(detector.changes(laterMs)).toEqual([]);
    const [over] = detector.changes(laterMs + windowMs);
    expect(over).toMatchObject({
      fingerprint: alert.fingerprint,
      status: 'RESOLVED',
      startedAt: nowMs,
      changedAt: laterMs + windowMs,
      observed: 0,
      expected: 4,
      summary: 'Abuse with label Ad is back to 0 verdicts in 10 s after 20 s.',
      summaryZh: '标签为 Ad 的违规内容在 20 秒后回落到 10 秒内 0 条。',
      contributors: {},
    });
    expect(detector.changes(laterMs + windowMs + 1_000)).toEqual([]);
  });

  it('does not become what is usual: the next one is measured by the time before', () => {
    const { detector } = firing();
    add(detector, 500, { atMs: nowMs + 1_000 });
    expect(statuses(detector.changes(nowMs + 2 * windowMs))).toEqual(['RESOLVED']);
    const nextMs = nowMs + 3 * windowMs;
    add(detector, 12, { atMs: nextMs });
    expect(detector.changes(nextMs)).toMatchObject([{ status: 'FIRING', startedAt: nextMs, observed: 12 }]);
    expect(detector.changes(nextMs)).toEqual([]);
  });

  it('that lasted longer than anyone looks back leaves what was usual before it', () => {
    const { detector } = firing();
    const endMs = nowMs + 15 * windowMs;
    for (let ms = 1_000; ms <= 15 * windowMs; ms += 1_000) add(detector, 10, { atMs: nowMs + ms });
    detector.changes(endMs);
    const backMs = endMs + windowMs;
    add(detector, 5, { atMs: backMs });
    expect(statuses(detector.changes(backMs))).toEqual(['RESOLVED']);
    add(detector, 6, { atMs: backMs });
    expect(detector.changes(backMs)).toEqual([]);
    add(detector, 1, { atMs: backMs });
    expect(detector.changes(backMs)).toMatchObject([{ status: 'FIRING', expected: 4, observed: 12 }]);
  });
});

describe('after a restart', () => {
  it('an incident that was firing does not fire again', () => {
    const { alert } = firing();
    const again = new Detector(rule);
    again.restore(alert, nowMs);
    addUsual(again, startMs);
    add(again, 12, { atMs: nowMs });
    expect(again.changes(nowMs)).toEqual([]);
  });

  it('it is not over before a window has passed in which its verdicts are read again', () => {
    const { alert } = firing();
    const again = new Detector(rule);
    again.restore(alert, nowMs + 2_000);
    expect(again.changes(nowMs + 2_000 + windowMs - 1)).toEqual([]);
    expect(again.changes(nowMs + 2_000 + windowMs)).toMatchObject([
      { fingerprint: alert.fingerprint, status: 'RESOLVED', startedAt: nowMs, expected: 4 },
    ]);
    expect(again.changes(nowMs + 3_000 + windowMs)).toEqual([]);
  });

  it('one that is over may begin anew, and what it was is still not usual', () => {
    const { detector, alert } = firing();
    add(detector, 500, { atMs: nowMs + 1_000 });
    const [over] = detector.changes(nowMs + 2 * windowMs);
    if (over === undefined) throw new Error('Expected an alert');
    const laterMs = nowMs + 5 * windowMs;
    const again = new Detector(rule);
    for (const each of [alert, over]) again.restore(each, laterMs);
    expect(again.changes(laterMs)).toEqual([]);
    add(again, 12, { atMs: nowMs });
    add(again, 500, { atMs: nowMs + 1_000 });
    add(again, 12, { atMs: laterMs });
    expect(again.changes(laterMs)).toMatchObject([{ status: 'FIRING', startedAt: laterMs, expected: 0 }]);
  });

  it('one that was over long ago is forgotten', () => {
    const { alert } = firing();
    const again = new Detector(rule);
    const over: Alert = { ...alert, status: 'RESOLVED', changedAt: nowMs + windowMs, expected: 1_000 };
    again.restore(over, nowMs + 100 * windowMs);
    const laterMs = nowMs + 100 * windowMs;
    expect(again.changes(laterMs)).toEqual([]);
    add(again, 10, { atMs: laterMs });
    expect(again.changes(laterMs)).toMatchObject([{ status: 'FIRING', expected: 0 }]);
  });
});
