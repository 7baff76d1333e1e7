import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../../lib/clock.ts';
import { MembershipState } from '../../../../lib/kafka/consume/membership-state.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const doubtAfterMs = 8_000;
const partitions = [
  { topic: 'sent', partition: 1 },
  { topic: 'verdicts', partition: 1 },
  { topic: 'sent', partition: 3 },
];

describe('the state of a membership', () => {
  let clock: ManualClock;
  let state: MembershipState;
  let told: string[];

  beforeEach(() => {
    clock = new ManualClock(0);
    told = [];
    state = new MembershipState(clock, doubtAfterMs, {
      onAssigned: ({ memberId, generationId, partitions: given }) =>
        told.push(`${memberId} of ${generationId}: ${given.length}`),
      onRevoked: () => told.push('revoked'),
    });
  });

  function join(generationId: number, memberId = 'a'): boolean {
    state.left();
    state.takenIn(memberId);
    state.synced({ memberId, generationId, sentAtMs: clock.monotonicMs() });
    return state.joined(memberId, partitions);
  }

  it('is that of no member until the group has given it something', () => {
    expect(state.isMember).toBe(false);
    join(4);
    expect(state.isMember).toBe(true);
    expect(told).toEqual(['a of 4: 3']);
  });

  it('changes to none as soon as the member joins again', () => {
    join(4);
    state.left();
    expect(state.isMember).toBe(false);
    join(5);
    expect(told).toEqual(['a of 4: 3', 'revoked', 'a of 5: 3']);
  });

  it('is revoked before it is given anew, also when nobody has said that it joins', () => {
    join(4);
    state.synced({ memberId: 'a', generationId: 5, sentAtMs: 0 });
    state.joined('a', partitions);
    expect(told).toEqual(['a of 4: 3', 'revoked', 'a of 5: 3']);
  });

  it('takes no share when the member has begun to join again since', () => {
    state.synced({ memberId: 'a', generationId: 4, sentAtMs: 0 });
    state.left();
    expect(state.joined('a', partitions)).toBe(false);
    expect(told).toEqual([]);
  });

  it('ends when the coordinator refuses a heartbeat of this generation, not of an earlier one', () => {
    join(5);
    state.refused(4);
    expect(state.isMember).toBe(true);
    state.refused(5);
    expect(told).toEqual(['a of 5: 3', 'revoked']);
  });

  it('is doubted when no heartbeat has been answered for long, counted from when it was sent', () => {
    join(4);
    clock.advance(6_000);
    state.confirmed(4, 5_000);
    clock.advance(6_999);
    expect(told).toEqual(['a of 4: 3']);
    clock.advance(1);
    expect(told).toEqual(['a of 4: 3', 'revoked']);
    expect(state.lastHeartbeatMs).toBe(5_000);
  });

  it('is told anew when a heartbeat is answered after the doubt', () => {
    join(4);
    clock.advance(9_000);
    state.confirmed(4, 8_900);
    expect(told).toEqual(['a of 4: 3', 'revoked', 'a of 4: 3']);
    expect(state.isMember).toBe(true);
  });

  it('stays doubted while the heartbeat that is answered is old itself', () => {
    join(4);
    clock.advance(20_000);
    state.confirmed(4, 11_000);
    expect(told).toEqual(['a of 4: 3', 'revoked']);
    expect(state.isMember).toBe(false);
  });

  it('is nobody’s by the clock even before the timer has run', () => {
    let nowMs = 0;
    const blocked: Clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, after: () => () => undefined };
    const frozen = new MembershipState(blocked, doubtAfterMs, {
      onAssigned: () => undefined,
      onRevoked: () => undefined,
    });
    frozen.synced({ memberId: 'a', generationId: 4, sentAtMs: 0 });
    frozen.joined('a', partitions);
    expect(frozen.isMember).toBe(true);
    nowMs = doubtAfterMs;
    expect(frozen.isMember).toBe(false);
  });

  it('says what was given last, and under which name, until the coordinator forgets that', () => {
    expect(state.claim).toEqual({ generationId: -1, partitions: [] });
    join(4);
    state.left();
    expect(state.claim).toEqual({ generationId: 4, partitions: [1, 3] });
    expect(state.formerMemberId).toBe('a');
    state.forgotten();
    expect(state.formerMemberId).toBeUndefined();
  });

  it('leaves no timer behind', () => {
    join(4);
    expect(clock.waiting).toBe(1);
    state.left();
    expect(clock.waiting).toBe(0);
  });
});
