import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abuser, spike } from '../../../dev/traffic/app-traffic.ts';
import type { Delivery } from '../../../dev/traffic/delivery.ts';
import { planTraffic, type TrafficOptions } from '../../../dev/traffic/plan.ts';
import { seededRandom } from '../../../dev/traffic/random.ts';
import type { ContentVerdict } from '../../../schemas/generated/events.ts';
import { eventOf, sdkAppId, receivedAtMs as startMs } from '../../support/callbacks.ts';

const minuteMs = 60_000;
const options: TrafficOptions = { seed: 1, durationMs: minuteMs, perSecond: 20, sdkAppIds: [sdkAppId], startMs };
const plan = Array.from(planTraffic(options));
const firsts = plan.filter(({ isRedelivery }) => !isRedelivery);
const redeliveries = plan.filter(({ isRedelivery }) => isRedelivery);

function verdictOf({ command, body }: Delivery): ContentVerdict {
  return eventOf('ContentVerdict', { command, body }).value;
}

/** Half an hour, in which shares come close to what they should be. */
const halfHour = Array.from(planTraffic({ ...options, durationMs: 30 * minuteMs }));
const verdicts = halfHour
  .filter(({ isRedelivery }) => !isRedelivery)
  .map((delivery) => ({ atMs: delivery.atMs, ...verdictOf(delivery) }));
const ofUsers = verdicts.filter(({ fromAccount }) => fromAccount?.startsWith('user-'));
const ofSpike = verdicts.filter(({ fromAccount }) => fromAccount?.startsWith('spike-'));
const ofAbuser = verdicts.filter(({ fromAccount }) => fromAccount === abuser);

describe('seededRandom', () => {
  it('gives the same numbers for the same seed, from 0 to 1', () => {
    const numbers = (seed: number) => Array.from({ length: 1_000 }, seededRandom(seed));
    expect(numbers(7)).toEqual(numbers(7));
    expect(numbers(7)).not.toEqual(numbers(8));
    expect(numbers(7).every((number) => number >= 0 && number < 1)).toBe(true);
  });

  it('is mulberry32: a known value', () => {
    // The first number of mulberry32 with state 1, by a C program of its author's definition, as a share of 2^32.
    expect(seededRandom(1)()).toBe(2_693_262_067 / 2 ** 32);
  });
});

describe('the traffic', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(Array.from(planTraffic(options))).toEqual(plan);
    expect(Array.from(planTraffic({ ...options, seed: 2 }))).not.toEqual(plan);
  });

  it('is in order of time, from the begin to the end; redeliveries may come a little after it', () => {
    const times = plan.map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBe(0);
    expect(Math.max(...firsts.map(({ atMs }) => atMs))).toBeLessThan(minuteMs);
    expect(Math.max(...times)).toBeLessThan(minuteMs + 1_800);
  });

  it('is as much as was asked for, beside abuser and spike', () => {
    expect(ofUsers.length / (30 * 60)).toBeCloseTo(20, 0);
    expect(ofAbuser).toHaveLength(30 * 15);
    expect(ofSpike.length / (6 * 60)).toBeCloseTo(25, 0);
    expect(ofUsers.length + ofAbuser.length + ofSpike.length).toBe(verdicts.length);
  });

  it('has bodies that ingest translates to verdicts, with an id for each different one, whatever the seed', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), (seed) => {
        const some = Array.from(planTraffic({ ...options, seed, durationMs: 10_000 }));
        const made = some.map(verdictOf);
        expect(new Set(made.map(({ eventId }) => eventId)).size).toBe(new Set(some.map(({ body }) => body)).size);
        for (const verdict of made) {
          expect(verdict.sdkAppId).toBe(sdkAppId);
          expect(verdict.suggestion).not.toBe('UNKNOWN');
          expect(verdict.extras).toBe(null);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('has an id for each body, the time of which is that of the delivery', () => {
    expect(new Set(firsts.map(({ body }) => body)).size).toBe(firsts.length);
    expect(new Set(plan.map((delivery) => verdictOf(delivery).eventId)).size).toBe(firsts.length);
    for (const delivery of firsts) {
      expect(verdictOf(delivery).occurredAt).toBe(1_000 * Math.floor((startMs + delivery.atMs) / 1_000));
    }
  });

  it('is other traffic at another time: no id comes again', () => {
    const later = Array.from(planTraffic({ ...options, startMs: startMs + minuteMs }));
    const ids = new Set(plan.map((delivery) => verdictOf(delivery).eventId));
    expect(later.filter((delivery) => ids.has(verdictOf(delivery).eventId))).toEqual([]);
  });
});

describe('redeliveries', () => {
  it('are three of a hundred, each equal to a body that was delivered 0.3 s to 1.8 s before', () => {
    const atMsOf = new Map(firsts.map(({ body, atMs }) => [body, atMs]));
    for (const { body, atMs } of redeliveries) {
      const waitMs = atMs - (atMsOf.get(body) ?? 0);
      expect(waitMs).toBeGreaterThanOrEqual(300);
      expect(waitMs).toBeLessThan(1_800);
    }
    expect(new Set(redeliveries.map(({ body }) => body)).size).toBe(redeliveries.length);
    const share = halfHour.filter(({ isRedelivery }) => isRedelivery).length / verdicts.length;
    expect(share).toBeCloseTo(0.03, 2);
  });
});

describe('users', () => {
  it('write what a moderation engine finds, in these shares', () => {
    const shareOf = (label: string) => ofUsers.filter((each) => each.label === label).length / ofUsers.length;
    expect(shareOf('Normal')).toBeCloseTo(0.7, 2);
    expect(shareOf('Abuse')).toBeCloseTo(0.1, 2);
    expect(shareOf('Sexy')).toBeCloseTo(0.08, 2);
    expect(shareOf('Porn')).toBeCloseTo(0.05, 2);
    expect(shareOf('Ad')).toBeCloseTo(0.04, 2);
    expect(shareOf('Polity')).toBeCloseTo(0.03, 2);
  });

  it('are blocked exactly where the advice was to block', () => {
    for (const { result, suggestion } of verdicts) expect(result === 'BLOCKED').toBe(suggestion === 'BLOCK');
  });

  it('write to groups and to each other', () => {
    const toGroups = ofUsers.filter(({ scene }) => scene === 'Group');
    expect(toGroups.length / ofUsers.length).toBeCloseTo(0.6, 1);
    for (const { scene, contactType, toGroupId, toAccount } of verdicts) {
      expect([contactType, toGroupId === null, toAccount === null]).toEqual(
        scene === 'Group' ? ['GROUP', false, true] : ['C2C', true, false],
      );
    }
  });

  it('are 400, of whom a quarter write half', () => {
    const accounts = new Set(ofUsers.map(({ fromAccount }) => fromAccount));
    expect(accounts.size).toBe(400);
    const busy = ofUsers.filter(({ fromAccount }) => Number(fromAccount?.slice('user-'.length)) <= 100);
    expect(busy.length / ofUsers.length).toBeCloseTo(0.5, 1);
  });
});

describe('the abuser', () => {
  it('is blocked every four seconds', () => {
    expect(ofAbuser.slice(0, 3).map(({ atMs, result, label }) => [atMs, result, label])).toEqual([
      [2_000, 'BLOCKED', 'Abuse'],
      [6_000, 'BLOCKED', 'Abuse'],
      [10_000, 'BLOCKED', 'Abuse'],
    ]);
  });
});

describe('the spike', () => {
  it('is blocked advertising of many senders, in the middle fifth', () => {
    const senders = new Set(ofSpike.map(({ fromAccount }) => fromAccount));
    expect(senders.size).toBe(spike.senders);
    for (const { atMs, label, result } of ofSpike) {
      expect([label, result]).toEqual([spike.label, 'BLOCKED']);
      expect(atMs).toBeGreaterThanOrEqual(12 * minuteMs);
      expect(atMs).toBeLessThan(18 * minuteMs);
    }
  });
});
