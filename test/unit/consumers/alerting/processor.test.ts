import { describe, expect, it } from 'vitest';
import { Detector } from '../../../../consumers/alerting/detector.ts';
import { AlertingProcessor } from '../../../../consumers/alerting/processor.ts';
import { windowsLookedAt } from '../../../../consumers/alerting/series.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { sdkAppId, receivedAtMs as startMs } from '../../../support/callbacks.ts';
import { aCounter, countsOf, received } from '../../../support/verdicts.ts';

const windowMs = 10_000;
const horizonMs = windowsLookedAt * windowMs;

/** Processors of two partitions, which share a detector that fires at the second sender. */
function setUp() {
  const detector = new Detector({ windowMs, minVerdicts: 2, minSenders: 2, minRatio: 1 });
  const alerts = aCounter('status');
  const options = { detector, horizonMs, alerts, logger: silentLogger };
  return { one: new AlertingProcessor(options), other: new AlertingProcessor(options), alerts };
}

describe('AlertingProcessor', () => {
  it('writes an alert under its fingerprint, once whichever partition is asked first, and counts it', async () => {
    const { one, other, alerts } = setUp();
    one.take(received(0, { fromAccount: 'a' }));
    other.take(received(0, { fromAccount: 'b' }));
    expect(one.tick(startMs + 1_000)).toEqual([
      {
        topic: 'alert',
        key: `abuse-rate/${sdkAppId}/Ad`,
        value: expect.objectContaining({ status: 'FIRING', observed: 2, distinctSenders: 2 }),
        timestampMs: startMs + 1_000,
      },
    ]);
    expect(other.tick(startMs + 1_000)).toEqual([]);
    expect(await countsOf(alerts)).toEqual({ FIRING: 1 });
    expect(other.tick(startMs + 20_000)).toMatchObject([{ value: { status: 'RESOLVED' } }]);
    expect(await countsOf(alerts)).toEqual({ FIRING: 1, RESOLVED: 1 });
  });

  it('skips what was not blocked', () => {
    const { one } = setUp();
    expect(one.take(received(0))).toEqual({ kind: 'ok' });
    expect(one.take(received(1, { result: 'PASSED', suggestion: 'PASS' }))).toEqual({
      kind: 'skip',
      why: 'nothing was blocked',
    });
  });
});

describe('resumeOffset', () => {
  it('is the first offset that the detector looks at', () => {
    const { one } = setUp();
    expect(one.resumeOffset()).toBeUndefined();
    one.take(received(7));
    one.take(received(8, { receivedAt: startMs + 999 }));
    one.take(received(9, { receivedAt: startMs + 1_000 }));
    one.take(received(10, { receivedAt: startMs + 5_000, result: 'PASSED', suggestion: 'PASS' }));
    expect(one.resumeOffset()).toBe(7n);
    one.tick(startMs + horizonMs + 1_000);
    expect(one.resumeOffset()).toBe(7n);
    one.tick(startMs + horizonMs + 1_001);
    expect(one.resumeOffset()).toBe(9n);
    one.tick(startMs + horizonMs + 2_001);
    expect(one.resumeOffset()).toBe(10n);
  });

  it('is nothing when all that was taken is older than that', () => {
    const { one } = setUp();
    one.take(received(7));
    one.tick(startMs + horizonMs + 1_001);
    expect(one.resumeOffset()).toBeUndefined();
  });
});
