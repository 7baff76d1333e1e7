import { describe, expect, it } from 'vitest';
import { type Policy, policyName, whyNoStrike } from '../../../../consumers/penalties/policy.ts';
import { aVerdict } from '../../../support/verdicts.ts';

const policy: Policy = {
  muteAtStrikes: 3,
  strikeWindowMs: 86_400_000,
  muteMs: 3_600_000,
  exemptAccounts: new Set(['administrator']),
};

describe('a strike', () => {
  it.each([
    ['was blocked', { result: 'BLOCKED', suggestion: 'BLOCK' }],
    ['was blocked against the advice', { result: 'BLOCKED', suggestion: 'PASS' }],
    ['was blocked without advice', { result: 'BLOCKED', suggestion: null }],
    ['was let through against the advice to block', { result: 'PASSED', suggestion: 'BLOCK' }],
    ['was asked for by nobody', { isRestApi: false }],
    ['is of an account that only looks like an exempt one', { fromAccount: 'administrator2' }],
  ] as const)('is a verdict on what %s', (_what, more) => {
    expect(whyNoStrike(aVerdict(more), policy)).toBeUndefined();
  });

  it.each([
    ['it names no sender', { fromAccount: null }],
    ['it names no sender', { fromAccount: '' }],
    ["the sender is one of Tencent's own accounts", { fromAccount: '@TLS#NOT_FOUND' }],
    ['the sender is exempt', { fromAccount: 'administrator' }],
    ['it was sent by a server over the REST API', { isRestApi: true }],
    ['nothing was blocked', { result: 'PASSED', suggestion: 'PASS' }],
    ['nothing was blocked', { result: 'PASSED', suggestion: 'REVIEW' }],
    ['nothing was blocked', { result: 'PASSED', suggestion: 'UNKNOWN' }],
    ['nothing was blocked', { result: 'PASSED', suggestion: null }],
  ] as const)('is not given when %s (%j)', (why, more) => {
    expect(whyNoStrike(aVerdict(more), policy)).toBe(why);
  });
});

it('a policy is named by its numbers', () => {
  expect(policyName(policy)).toBe('mute 3600000 ms at 3 strikes in 86400000 ms');
});
