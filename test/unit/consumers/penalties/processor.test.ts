import { describe, expect, it } from 'vitest';
import type { Policy } from '../../../../consumers/penalties/policy.ts';
import { PenaltiesProcessor } from '../../../../consumers/penalties/processor.ts';
import type { Outcome } from '../../../../consumers/runtime/processor.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import type { ContentVerdict, LedgerEntry, Standing } from '../../../../schemas/generated/events.ts';
import { receivedAtMs, sdkAppId } from '../../../support/callbacks.ts';
import { MapState } from '../../../support/map-state.ts';
import { aCounter, countsOf, received } from '../../../support/verdicts.ts';

const dayMs = 86_400_000;
const policy: Policy = {
  muteAtStrikes: 3,
  strikeWindowMs: dayMs,
  muteMs: 3_600_000,
  exemptAccounts: new Set(['administrator']),
};

function setUp(state = new MapState<Standing>()) {
  const entries = aCounter('kind');
  const processor = new PenaltiesProcessor({ policy, state, entries, logger: silentLogger });
  let offset = 0;
  const take = (eventId: string, more: Partial<ContentVerdict> = {}): Outcome => {
    offset += 1;
    return processor.take(received(offset, { eventId, ...more }));
  };
  return { processor, take, entries, state };
}

/** The entries that an outcome writes. */
function entriesOf(outcome: Outcome): readonly LedgerEntry[] {
  return outcome.kind === 'ok' ? (outcome.outputs ?? []).map(({ value }) => value as LedgerEntry) : [];
}

function kinds(outcome: Outcome): readonly string[] {
  return entriesOf(outcome).map(({ kind }) => kind);
}

describe('PenaltiesProcessor', () => {
  it("writes an entry under the verdict's own key, with the verdict's time", () => {
    const { take } = setUp();
    expect(take('e-1')).toEqual({
      kind: 'ok',
      outputs: [
        {
          topic: 'penalty.ledger',
          key: `${sdkAppId}/jared`,
          value: expect.objectContaining({ entryId: 'strike/e-1', account: 'jared' }),
          timestampMs: receivedAtMs,
        },
      ],
    });
  });

  it('skips what is no strike, and says why', () => {
    const { take } = setUp();
    expect(take('e-1', { fromAccount: 'administrator' })).toEqual({ kind: 'skip', why: 'the sender is exempt' });
    expect(take('e-2', { fromAccount: null })).toEqual({ kind: 'skip', why: 'it names no sender' });
  });

  it('skips a verdict that is a strike already', async () => {
    const { take, entries } = setUp();
    take('e-1');
    expect(take('e-1', { receivedAt: receivedAtMs + 2_000 })).toEqual({ kind: 'skip', why: 'it is a strike already' });
    expect(kinds(take('e-2'))).toEqual(['STRIKE']);
    expect(await countsOf(entries)).toEqual({ STRIKE: 2 });
  });

  it('counts users apart, and those of apps that have the same name too', async () => {
    const { take, entries } = setUp();
    take('e-1');
    take('e-2');
    expect(kinds(take('e-3', { fromAccount: 'other' }))).toEqual(['STRIKE']);
    expect(kinds(take('e-4', { sdkAppId: 1 }))).toEqual(['STRIKE']);
    expect(kinds(take('e-5'))).toEqual(['STRIKE', 'DECISION']);
    expect(await countsOf(entries)).toEqual({ STRIKE: 5, DECISION: 1 });
  });

  it('goes on after a restart with what it has kept', () => {
    const before = setUp();
    for (const id of ['e-1', 'e-2']) before.take(id);
    const { take } = setUp(new MapState(before.state.entries()));
    expect(take('e-2')).toEqual({ kind: 'skip', why: 'it is a strike already' });
    const third = take('e-3');
    expect(kinds(third)).toEqual(['STRIKE', 'DECISION']);
    expect(third).toEqual(before.take('e-3'));
  });

  it('keeps the strikes of a user while they count for the verdicts that come, however old those are', () => {
    const { processor, take } = setUp();
    take('e-1');
    take('e-2');
    expect(processor.tick(receivedAtMs + 10 * dayMs)).toEqual([]);
    expect(kinds(take('e-3', { receivedAt: receivedAtMs + 1_000 }))).toEqual(['STRIKE', 'DECISION']);
  });

  it('forgets users whose strikes are over', () => {
    const { processor, take, state } = setUp();
    take('e-1');
    take('e-9', { fromAccount: 'other', receivedAt: receivedAtMs + dayMs });
    processor.tick(receivedAtMs + dayMs);
    expect([...state.values.keys()]).toEqual([`${sdkAppId}/other`]);
  });

  it('looks at 500 users a second, one part after the other, and begins again', () => {
    const { processor, take, state } = setUp();
    for (let number = 0; number < 750; number += 1) take(`e-${number}`, { fromAccount: `user-${number}` });
    take('e-last', { fromAccount: 'zzz', receivedAt: receivedAtMs + dayMs });
    processor.tick(receivedAtMs + dayMs);
    expect(state.values.size).toBe(251);
    processor.tick(receivedAtMs + dayMs);
    expect(state.values.size).toBe(1);
    processor.tick(receivedAtMs + 2 * dayMs);
    expect(state.values.size).toBe(1);
  });
});
