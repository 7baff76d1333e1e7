import type { Standing as KeptStanding, LedgerEntry, StandingStrike } from '../../schemas/generated/events.ts';
import { type JudgedVerdict, type Policy, policyName } from './policy.ts';

const strikeWeight = 1;
/** Strikes that are kept of a user; as many as a policy can ask for. */
const mostStrikes = 1_000;

/** What counts against one user now: the strikes of the policy's window and the end of the last mute. */
export class Standing {
  readonly #policy: Policy;
  #strikes: readonly StandingStrike[];
  #mutedUntilMs: number;

  /** @param kept what an earlier one has given to be kept. */
  constructor(policy: Policy, kept?: KeptStanding) {
    this.#policy = policy;
    this.#strikes = kept?.strikes ?? [];
    this.#mutedUntilMs = kept?.mutedUntil ?? Number.NEGATIVE_INFINITY;
  }

  /** What is to be kept of it. */
  get kept(): KeptStanding {
    return { strikes: this.#strikes, mutedUntil: Number.isFinite(this.#mutedUntilMs) ? this.#mutedUntilMs : null };
  }

  hasStrike(eventId: string): boolean {
    return this.#strikes.some((strike) => strike.eventId === eventId);
  }

  /** True when nothing counts any more at `nowMs`, so that the user can be forgotten. */
  isEmpty(nowMs: number): boolean {
    return this.#mutedUntilMs <= nowMs && this.#strikes.every(({ at }) => at <= nowMs - this.#policy.strikeWindowMs);
  }

  /** The entries that a verdict leads to: its strike, and a mute when that makes enough of them. Adds them. */
  strike(verdict: JudgedVerdict & { readonly fromAccount: string }): readonly LedgerEntry[] {
    const { muteAtStrikes, muteMs, strikeWindowMs } = this.#policy;
    const { eventId, receivedAt: at, moderationRequestId } = verdict;
    this.#add({ eventId, moderationRequestId, at, weight: strikeWeight });
    const strikes = this.#strikes.reduce((sum, { weight }) => sum + weight, 0);
    const common = {
      sdkAppId: verdict.sdkAppId,
      account: verdict.fromAccount,
      at,
      mode: 'SHADOW',
      label: verdict.label,
      strikes,
      policy: policyName(this.#policy),
    };
    const strike: LedgerEntry = {
      ...common,
      entryId: `strike/${eventId}`,
      kind: 'STRIKE',
      eventIds: [eventId],
      moderationRequestIds: moderationRequestId === null ? [] : [moderationRequestId],
      weight: strikeWeight,
      action: null,
      until: null,
      reason: `${strikes > muteAtStrikes ? `Strike ${strikes}, ${muteAtStrikes} lead to a mute` : `Strike ${strikes} of ${muteAtStrikes}`}: ${what(verdict)}.`,
    };
    if (strikes < muteAtStrikes || this.#mutedUntilMs > at) return [strike];
    const until = at + muteMs;
    this.#mutedUntilMs = until;
    const decision: LedgerEntry = {
      ...common,
      entryId: `decision/${eventId}`,
      kind: 'DECISION',
      eventIds: this.#strikes.map((each) => each.eventId),
      moderationRequestIds: this.#strikes.flatMap((each) => each.moderationRequestId ?? []),
      weight: 0,
      action: 'MUTE',
      until,
      reason: `Mute until ${new Date(until).toISOString()}: ${strikes} strikes within ${duration(strikeWindowMs)}, the last one ${what(verdict)}. Shadow: nothing was done.`,
    };
    return [strike, decision];
  }

  /** Adds a strike in place of those that do not count any more at its time. */
  #add(strike: StandingStrike): void {
    const sinceMs = strike.at - this.#policy.strikeWindowMs;
    this.#strikes = [...this.#strikes.filter(({ at }) => at > sinceMs), strike].slice(-mostStrikes);
  }
}

function what({ label, scene, result }: JudgedVerdict): string {
  return `${label ?? 'content without a label'} in ${scene ?? 'an unknown scene'}, ${result === 'BLOCKED' ? 'blocked' : 'advised to block'}`;
}

function duration(ms: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ] as const;
  const [name, unitMs] = units.find(([, each]) => ms % each === 0) ?? ['millisecond', 1];
  const count = ms / unitMs;
  return count === 1 ? `1 ${name}` : `${count} ${name}s`;
}
