import { describe, expect, it } from 'vitest';
import { Detector } from '../../../../consumers/alerting/detector.ts';
import { AlertingProcessor } from '../../../../consumers/alerting/processor.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { sdkAppId, receivedAtMs as startMs } from '../../../support/callbacks.ts';
import { aCounter, countsOf, received } from '../../../support/verdicts.ts';

const windowMs = 10_000;

/** Processors of two partitions, which share a detector that fires at the second sender. */
function setUp() {
  const detector = new Detector({ windowMs, minVerdicts: 2, minSenders: 2, minRatio: 1 });
  const alerts = aCounter('status');
  const options = { detector, alerts, logger: silentLogger };
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
