import { describe, expect, it } from 'vitest';
import { readAnswerChoices } from '../../../ingest/tencent/answer-choices.ts';
import type { AnswerChoice } from '../../../ingest/tencent/before-answers.ts';
import { someRules, translated } from '../../support/callbacks.ts';

function answerTo(command: string, body: object, choices: Readonly<Record<string, AnswerChoice>> = {}): unknown {
  const rules = { ...someRules(), answers: new Map(Object.entries(choices)) };
  const translation = translated({ command, body }, rules);
  return translation.kind === 'events' ? translation.answer : undefined;
}

const message = { From_Account: 'a', MsgTime: 1557481126 };

describe('the answer to a message before it is sent', () => {
  it.each([
    ['allow', {}],
    ['forbid', { ErrorCode: 1 }],
    ['discard', { ErrorCode: 2 }],
    [
      { errorCode: 120_001, errorInfo: 'closed' },
      { ErrorCode: 120_001, ErrorInfo: 'closed' },
    ],
  ] as const)('is for %j %j', (choice, expected) => {
    expect(answerTo('C2C.CallbackBeforeSendMsg', message, { 'C2C.CallbackBeforeSendMsg': choice })).toEqual(expected);
  });

  it('is the one of its own command', () => {
    expect(answerTo('Group.CallbackBeforeSendMsg', message, { 'C2C.CallbackBeforeSendMsg': 'forbid' })).toEqual({});
  });

  it('is allow for a body that ends as a dead letter', () => {
    const forbid = { 'C2C.CallbackBeforeSendMsg': 'forbid' } as const;
    expect(answerTo('C2C.CallbackBeforeSendMsg', { From_Account: 5 }, forbid)).toEqual({});
  });
});

describe('the answer to friend requests', () => {
  const body = { FriendItem: [{ To_Account: 'a' }, { To_Account: 'b' }, {}] };
  const command = 'Sns.CallbackPrevFriendAdd';
  const item = (account: string, code: number, info = '') => ({
    To_Account: account,
    ResultCode: code,
    ResultInfo: info,
  });

  it('allows or refuses each account that is asked', () => {
    expect(answerTo(command, body)).toEqual({ ResultItem: [item('a', 0), item('b', 0)] });
    expect(answerTo(command, body, { [command]: 'forbid' })).toEqual({
      ResultItem: [item('a', 38_000), item('b', 38_000)],
    });
    expect(answerTo(command, body, { [command]: { errorCode: 38_500, errorInfo: 'no' } })).toEqual({
      ResultItem: [item('a', 38_500, 'no'), item('b', 38_500, 'no')],
    });
  });
});

describe('the answer to an invitation', () => {
  it('refuses nobody by name', () => {
    const command = 'Group.CallbackBeforeInviteJoinGroup';
    expect(answerTo(command, { GroupId: 'g' })).toEqual({ RefusedMembers_Account: [] });
    expect(answerTo(command, { GroupId: 'g' }, { [command]: 'forbid' })).toEqual({
      ErrorCode: 1,
      RefusedMembers_Account: [],
    });
  });
});

describe('configured answers', () => {
  it('are a word, or a code in the range of their command', () => {
    expect(
      readAnswerChoices({
        'C2C.CallbackBeforeSendMsg': 'discard',
        'Group.CallbackBeforeSendMsg': { ErrorCode: 10_200, ErrorInfo: 'closed' },
        'Sns.CallbackPrevFriendAdd': { ErrorCode: 38_000 },
      }),
    ).toEqual(
      new Map<string, AnswerChoice>([
        ['C2C.CallbackBeforeSendMsg', 'discard'],
        ['Group.CallbackBeforeSendMsg', { errorCode: 10_200, errorInfo: 'closed' }],
        ['Sns.CallbackPrevFriendAdd', { errorCode: 38_000, errorInfo: '' }],
      ]),
    );
  });

  it.each([
    ['a list', [], 'a JSON object of command and answer'],
    ['a command that does not ask', { 'C2C.CallbackAfterSendMsg': 'allow' }, 'not "C2C.CallbackAfterSendMsg"'],
    [
      'an unknown word',
      { 'C2C.CallbackBeforeSendMsg': 'deny' },
      'allow, forbid, discard, or {"ErrorCode": 120001 to 130000',
    ],
    ['a code out of range', { 'Group.CallbackBeforeSendMsg': { ErrorCode: 10_201 } }, '10100 to 10200'],
    ['a text that is none', { 'Group.CallbackBeforeSendMsg': { ErrorCode: 10_200, ErrorInfo: 1 } }, '10100 to 10200'],
    ['discard where nothing can be', { 'Sns.CallbackPrevFriendAdd': 'discard' }, 'allow, forbid, or'],
    ['a code where none is known', { 'Live.CallbackBeforeSendGift': { ErrorCode: 5 } }, 'allow, forbid for Live'],
  ])('are refused for %s, with what was expected', (_what, value, expected) => {
    expect(() => readAnswerChoices(value)).toThrow(expected);
  });
});
