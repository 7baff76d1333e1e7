import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../../consumers/penalties/policy.ts';
import { Standing } from '../../../../consumers/penalties/standing.ts';
import type { ContentVerdict, LedgerEntry } from '../../../../schemas/generated/events.ts';
import { receivedAtMs, sdkAppId } from '../../../support/callbacks.ts';
import { aVerdict } from '../../../support/verdicts.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const policy: Policy = { muteAtStrikes: 3, strikeWindowMs: dayMs, muteMs: hourMs, exemptAccounts: new Set() };

/** The entries of a verdict with this id, received this long after the first. */
function strike(standing: Standing, eventId: string, afterMs = 0, more: Partial<ContentVerdict> = {}) {
  const verdict = { ...aVerdict(more), fromAccount: 'jared', eventId, receivedAt: receivedAtMs + afterMs };
  return standing.strike(verdict);
}

/** Kinds of entries and the strikes that they name. */
function steps(entries: readonly LedgerEntry[]): readonly (readonly [string, number])[] {
  return entries.map(({ kind, strikes }) => [kind, strikes]);
}

const policyText = 'mute 3600000 ms at 3 strikes in 86400000 ms';

describe('a strike', () => {
  it('is written with the verdict that it is for', () => {
    expect(strike(new Standing(policy), 'e-1', 0, { moderationRequestId: 'm-1' })).toEqual([
      {
        entryId: 'strike/e-1',
        kind: 'STRIKE',
        sdkAppId,
        account: 'jared',
        at: receivedAtMs,
        mode: 'SHADOW',
        eventIds: ['e-1'],
        moderationRequestIds: ['m-1'],
        label: 'Ad',
        weight: 1,
        strikes: 1,
        action: null,
        until: null,
        policy: policyText,
        reason: 'Strike 1 of 3: Ad in Group, blocked.',
      },
    ]);
  });

  it('says what is not known, and what was only advised', () => {
    const more = { label: null, scene: null, result: 'PASSED', moderationRequestId: null } as const;
    expect(strike(new Standing(policy), 'e-1', 0, more)).toMatchObject([
      {
        label: null,
        moderationRequestIds: [],
        reason: 'Strike 1 of 3: content without a label in an unknown scene, advised to block.',
      },
    ]);
  });

  it('counts for the window, its begin excluded', () => {
    const standing = new Standing(policy);
    strike(standing, 'e-1');
    expect(steps(strike(standing, 'e-2', dayMs - 1))).toEqual([['STRIKE', 2]]);
    expect(steps(strike(standing, 'e-3', dayMs))).toEqual([['STRIKE', 2]]);
  });
});

describe('strikes', () => {
  it('are kept up to a thousand, the newest', () => {
    const standing = new Standing(policy);
    for (let number = 0; number < 1_100; number += 1) strike(standing, `e-${number}`, number);
    expect(standing.kept.strikes).toHaveLength(1_000);
    expect(standing.kept.strikes.at(0)?.eventId).toBe('e-100');
    expect(standing.kept.strikes.at(-1)?.eventId).toBe('e-1099');
  });
});

describe('a mute', () => {
  it('follows on the strike that makes enough, and names all that led to it, oldest first', () => {
    const standing = new Standing(policy);
    strike(standing, 'e-1', 0, { moderationRequestId: 'm-1' });
    strike(standing, 'e-2', 1_000);
    const [third, decision] = strike(standing, 'e-3', 2_000, { moderationRequestId: 'm-3', label: 'Porn' });
    expect(third).toMatchObject({ kind: 'STRIKE', strikes: 3, reason: 'Strike 3 of 3: Porn in Group, blocked.' });
    expect(decision).toEqual({
      entryId: 'decision/e-3',
      kind: 'DECISION',
      sdkAppId,
      account: 'jared',
      at: receivedAtMs + 2_000,
      mode: 'SHADOW',
      eventIds: ['e-1', 'e-2', 'e-3'],
      moderationRequestIds: ['m-1', 'm-3'],
      label: 'Porn',
      weight: 0,
      strikes: 3,
      action: 'MUTE',
      until: receivedAtMs + 2_000 + hourMs,
      policy: policyText,
      reason:
        'Mute until 2023-11-14T23:13:22.000Z: 3 strikes within 1 day, the last one Porn in Group, blocked. Shadow: nothing was done.',
    });
  });

  it.each([
    [1, '1 millisecond'],
    [1_500, '1500 milliseconds'],
    [2_000, '2 seconds'],
    [60_000, '1 minute'],
    [90 * 60_000, '90 minutes'],
    [2 * dayMs, '2 days'],
  ])('says a window of %i ms as %s', (strikeWindowMs, words) => {
    const [, decision] = strike(new Standing({ ...policy, muteAtStrikes: 1, strikeWindowMs }), 'e-1');
    expect(decision?.reason).toContain(`: 1 strikes within ${words}, `);
  });

  it('needs strikes that count together', () => {
    const standing = new Standing(policy);
    strike(standing, 'e-1');
    strike(standing, 'e-2', 1_000);
    expect(steps(strike(standing, 'e-3', dayMs))).toEqual([['STRIKE', 2]]);
    expect(steps(strike(standing, 'e-4', dayMs + 500))).toEqual([
      ['STRIKE', 3],
      ['DECISION', 3],
    ]);
  });

  it('is not decided again while it lasts, and is at the next strike when it is over', () => {
    const standing = new Standing({ ...policy, muteAtStrikes: 1 });
    expect(steps(strike(standing, 'e-1'))).toEqual([
      ['STRIKE', 1],
      ['DECISION', 1],
    ]);
    expect(steps(strike(standing, 'e-2', hourMs - 1))).toEqual([['STRIKE', 2]]);
    const [, again] = strike(standing, 'e-3', hourMs);
    expect(again).toMatchObject({ entryId: 'decision/e-3', strikes: 3, until: receivedAtMs + 2 * hourMs });
  });
});

describe('isEmpty', () => {
  it('is true for somebody without strikes, and when the last of them and the mute are over', () => {
    const standing = new Standing({ ...policy, muteAtStrikes: 2, muteMs: 2 * dayMs });
    expect(standing.isEmpty(receivedAtMs)).toBe(true);
    strike(standing, 'e-1');
    expect(standing.isEmpty(receivedAtMs + dayMs - 1)).toBe(false);
    expect(standing.isEmpty(receivedAtMs + dayMs)).toBe(true);
    strike(standing, 'e-2', 1_000);
    expect(standing.isEmpty(receivedAtMs + 1_000 + 2 * dayMs - 1)).toBe(false);
    expect(standing.isEmpty(receivedAtMs + 1_000 + 2 * dayMs)).toBe(true);
  });
});

describe('a standing that was kept', () => {
  it('is nothing for somebody without strikes', () => {
    expect(new Standing(policy).kept).toEqual({ strikes: [], mutedUntil: null });
  });

  it('goes on as the one did that gave it, wherever that ended', () => {
    const someEvents = fc.array(
      fc.record({ id: fc.integer({ min: 0, max: 12 }), afterMs: fc.integer({ min: 0, max: dayMs }) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(someEvents, fc.nat({ max: 30 }), fc.integer({ min: 1, max: 4 }), (events, end, muteAtStrikes) => {
        const rules = { ...policy, muteAtStrikes };
        const run = (standing: Standing, from: number, to: number): readonly LedgerEntry[] => {
          let atMs = events.slice(0, from).reduce((sum, { afterMs }) => sum + afterMs, 0);
          return events.slice(from, to).flatMap(({ id, afterMs }) => {
            atMs += afterMs;
            return standing.hasStrike(`e-${id}`) ? [] : strike(standing, `e-${id}`, atMs);
          });
        };
        const standing = new Standing(rules);
        run(standing, 0, end);
        const again = new Standing(rules, standing.kept);
        expect(run(again, end, events.length)).toEqual(run(standing, end, events.length));
        expect(again.kept).toEqual(standing.kept);
      }),
      { numRuns: 500 },
    );
  });
});
