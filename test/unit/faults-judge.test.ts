import { describe, expect, it } from 'vitest';
import { type Found, judge, type Sent } from '../faults/judge.ts';

const sent = (key: string, sequence: number, status = 200, tookMs = 1): Sent => ({
  key,
  sequence,
  status,
  tookMs,
  sentAtMs: 0,
});
const found = (key: string, sequence: number, eventId = `${key}${sequence}`): Found => ({ eventId, key, sequence });

const nothing = {
  sent: 0,
  acknowledged: 0,
  refused: 0,
  unanswered: 0,
  lost: 0,
  lostFirst: [],
  unknown: 0,
  outOfOrder: 0,
  outOfOrderFirst: [],
  duplicates: 0,
  p99Ms: 0,
  longestMs: 0,
};

describe('what a fault has cost', () => {
  it('is nothing when every acknowledged event is there once, in order', () => {
    const judgement = judge(
      [sent('a', 0), sent('b', 0), sent('a', 1, 200, 7)],
      [found('b', 0), found('a', 0), found('a', 1)],
    );
    expect(judgement).toEqual({ ...nothing, sent: 3, acknowledged: 3, p99Ms: 1, longestMs: 7 });
  });

  it('is a loss when an acknowledged event is missing, and none when it was refused or never answered', () => {
    const judgement = judge([sent('a', 0), sent('a', 1, 503), sent('a', 2, 0, 5_000)], []);
    expect(judgement).toMatchObject({ acknowledged: 1, refused: 1, unanswered: 1, lost: 1, lostFirst: ['a#0'] });
    expect(judgement.longestMs).toBe(1);
  });

  it('is a duplicate, and no disorder, when the same event comes again', () => {
    const judgement = judge([sent('a', 0), sent('a', 1)], [found('a', 0), found('a', 1), found('a', 0)]);
    expect(judgement).toMatchObject({ duplicates: 1, outOfOrder: 0 });
  });

  it('is disorder when an event comes behind a later one of its key, or again under another eventId', () => {
    const events = [sent('a', 0), sent('a', 1), sent('b', 0)];
    expect(judge(events, [found('a', 1), found('b', 0), found('a', 0)])).toMatchObject({
      outOfOrder: 1,
      outOfOrderFirst: ['a#0'],
    });
    expect(judge(events, [found('a', 0), found('a', 1), found('a', 1, 'another'), found('b', 0)])).toMatchObject({
      duplicates: 0,
      outOfOrder: 1,
    });
  });

  it('is no disorder when an event that was never answered comes late', () => {
    const events = [sent('a', 0, 0), sent('a', 1)];
    expect(judge(events, [found('a', 1), found('a', 0)])).toMatchObject({ outOfOrder: 0, unanswered: 1 });
  });

  it('is unknown when nobody has sent it', () => {
    expect(judge([sent('a', 0)], [found('a', 0), found('z', 0)])).toMatchObject({ unknown: 1 });
  });
});
