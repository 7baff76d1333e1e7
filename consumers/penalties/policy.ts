import type { ContentVerdict } from '../../schemas/generated/events.ts';

/** What is looked at of a verdict, beside its id and time. */
export const judgedFields = [
  'sdkAppId',
  'fromAccount',
  'isRestApi',
  'scene',
  'label',
  'result',
  'suggestion',
  'moderationRequestId',
] as const;

/** A verdict as far as it is looked at. */
export type JudgedVerdict = Pick<ContentVerdict, 'eventId' | 'receivedAt' | (typeof judgedFields)[number]>;

/** When a user is muted, and for how long. */
export interface Policy {
  readonly muteAtStrikes: number;
  readonly strikeWindowMs: number;
  readonly muteMs: number;
  readonly exemptAccounts: ReadonlySet<string>;
}

/** The policy as the ledger names it. */
export function policyName({ muteAtStrikes, strikeWindowMs, muteMs }: Policy): string {
  return `mute ${muteMs} ms at ${muteAtStrikes} strikes in ${strikeWindowMs} ms`;
}

/** Why a verdict is no strike; `undefined` when it is one. */
export function whyNoStrike(verdict: JudgedVerdict, { exemptAccounts }: Policy): string | undefined {
  const { fromAccount, isRestApi, result, suggestion } = verdict;
  if (fromAccount === null || fromAccount === '') return 'it names no sender';
  // Tencent's own accounts: system notices and the like.
  if (fromAccount.startsWith('@TLS#')) return "the sender is one of Tencent's own accounts";
  if (exemptAccounts.has(fromAccount)) return 'the sender is exempt';
  if (isRestApi === true) return 'it was sent by a server over the REST API';
  if (result !== 'BLOCKED' && suggestion !== 'BLOCK') return 'nothing was blocked';
  return undefined;
}
