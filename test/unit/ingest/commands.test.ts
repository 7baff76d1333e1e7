import { describe, expect, it } from 'vitest';
import { asksBefore, commandOf, commands } from '../../../ingest/tencent/commands.ts';
import type { Field } from '../../../ingest/tencent/fields.ts';
import { eventOf, eventsOf, sdkAppId } from '../../support/callbacks.ts';
import { samples } from '../../support/samples.ts';

/** The commands that Tencent's documents list, by the event that each becomes. */
const documented = {
  ContentVerdict: ['ContentCallback.ResultNotify'],
  MessageEvent: [
    'Bot.OnC2CMessage',
    'Bot.OnGroupMessage',
    'C2C.CallbackAfterC2CMsgExtension',
    'C2C.CallbackAfterModifyMsg',
    'C2C.CallbackAfterMsgReport',
    'C2C.CallbackAfterMsgWithDraw',
    'C2C.CallbackAfterSendMsg',
    'C2C.CallbackBeforeSendMsg',
    'Chatbot.OnC2CSignalMessage',
    'Group.CallbackAfterGroupMsgExtension',
    'Group.CallbackAfterReadReceipt',
    'Group.CallbackAfterRecallMsg',
    'Group.CallbackAfterSendMsg',
    'Group.CallbackBeforeSendMsg',
    'Group.CallbackSendMsgException',
    'OfficialAccount.CallbackAfterMsgWithDraw',
    'OfficialAccount.CallbackAfterSendMsg',
    'OfficialAccount.CallbackBeforeSendMsg',
  ],
  UserEvent: ['Profile.CallbackPortraitSet', 'State.StateChange'],
  RelationEvent: [
    'Follow.CallbackAfterFollowAdd',
    'Follow.CallbackAfterFollowDelete',
    'Sns.CallbackBlackListAdd',
    'Sns.CallbackBlackListDelete',
    'Sns.CallbackFriendAdd',
    'Sns.CallbackFriendDelete',
    'Sns.CallbackPrevFriendAdd',
    'Sns.CallbackPrevFriendResponse',
  ],
  GroupEvent: [
    'Group.CallbackAfterChangeGroupOwner',
    'Group.CallbackAfterCreateGroup',
    'Group.CallbackAfterCreateTopic',
    'Group.CallbackAfterGroupAttrChanged',
    'Group.CallbackAfterGroupDestroyed',
    'Group.CallbackAfterGroupFull',
    'Group.CallbackAfterGroupInfoChanged',
    'Group.CallbackAfterMemberExit',
    'Group.CallbackAfterMemberFieldChanged',
    'Group.CallbackAfterNewMemberJoin',
    'Group.CallbackAfterTopicDestroyed',
    'Group.CallbackAfterTopicInfoChanged',
    'Group.CallbackBeforeApplyJoinGroup',
    'Group.CallbackBeforeCreateGroup',
    'Group.CallbackBeforeCreateTopic',
    'Group.CallbackBeforeInviteJoinGroup',
    'Group.CallbackOnMemberStateChange',
    'OfficialAccount.CallbackAfterAddSubscriber',
    'OfficialAccount.CallbackAfterCreateOfficialAccount',
    'OfficialAccount.CallbackAfterDeleteSubscriber',
    'OfficialAccount.CallbackAfterOfficialAccountDestroyed',
    'OfficialAccount.CallbackAfterOfficialAccountFull',
    'OfficialAccount.CallbackAfterOfficialAccountInfoChanged',
    'OfficialAccount.CallbackBeforeAddSubscriber',
    'OfficialAccount.CallbackBeforeCreateOfficialAccount',
  ],
  PushEvent: ['Push.AllMemberPush', 'Push.OfflinePush'],
  OperationEvent: ['Alert.RequestOverLimit', 'Group.CallbackOnDailyGroupQuotaAlarm'],
  UnknownCallback: [
    'Call.CallbackAfterEndCall',
    'Call.CallbackAfterMemberChanged',
    'Call.CallbackAfterStartCall',
    'Live.CallbackAfterChangeOwner',
    'Live.CallbackAfterCreateBattle',
    'Live.CallbackAfterCreateRoom',
    'Live.CallbackAfterCreateRoomReachingThreshold',
    'Live.CallbackAfterDelMetadata',
    'Live.CallbackAfterDestroyRoom',
    'Live.CallbackAfterEndBattle',
    'Live.CallbackAfterMemberStateChanged',
    'Live.CallbackAfterModifyAdmin',
    'Live.CallbackAfterSetMetadata',
    'Live.CallbackAfterStartBattle',
    'Live.CallbackAfterUpdateRoomInfo',
    'Live.CallbackBeforeSendGift',
    'Mic.CallbackAfterSeatInfoChanged',
  ],
};

describe('the table of commands', () => {
  it('has a row for every documented command, and no other', () => {
    const byRecord = Map.groupBy(commands.keys(), (command) => commandOf(command).family.record);
    expect(Object.fromEntries(Array.from(byRecord, ([record, names]) => [record, names.toSorted()]))).toEqual(
      documented,
    );
  });

  it('has a sample for every row', () => {
    const sampled = new Set(samples.map(({ command }) => command));
    expect([...commands.keys()].filter((command) => !sampled.has(command))).toEqual([]);
  });

  it('says of every command that asks before something happens what may be answered', () => {
    const asking = [...commands.keys()].filter(asksBefore);
    expect(asking).toEqual([...commands.keys()].filter((command) => /\.Callback(Before|Prev)/.test(command)));
    expect(asksBefore('Group.CallbackBeforeTomorrow')).toBe(true);
    expect(asksBefore('Group.CallbackAfterTomorrow')).toBe(false);
  });
});

/** Samples with something that their fields do not hold exactly, and what that is. */
const leftovers: Readonly<Record<string, unknown>> = {
  'ContentCallback.ResultNotify.group-passed': { CtxcbKeywords: [] },
  'ContentCallback.ResultNotify.one-text': { TextContent: 'aaabbbccc' },
  'Group.CallbackAfterReadReceipt': { EventTime: '1670574414123' },
  'Group.CallbackAfterSendMsg': { EventTime: '1670574414123' },
  'Profile.CallbackPortraitSet': {
    ProfileItem: [
      { Tag: 'Tag_Profile_IM_Nick', Value: 'nick1' },
      { Tag: 'Tag_Profile_IM_Gender', Value: 'Gender_Type_Male' },
      { Tag: 'Tag_Profile_IM_BirthDay', Value: 19940301 },
    ],
  },
};

describe('the fields of a family', () => {
  it.each(
    [...new Set([...commands.values()].map(({ family }) => family))].map((family) => [family.record, family] as const),
  )('of %s take each name of the body once', (record, family) => {
    const taken = Object.values(family.fields as Record<string, Field<unknown>>).map(
      ({ inside = '', source }) => `${inside}/${source}`,
    );
    // The spelling of the suggestion is a field that takes it, its meaning one that only looks.
    const expected = record === 'ContentVerdict' ? ['/CtxcbSuggestion'] : [];
    expect(taken.filter((name, index) => taken.indexOf(name) !== index)).toEqual(expected);
  });
});

describe('every sample', () => {
  it.each(samples)('$name becomes events of its family, with a place for every field', ({ name, command, body }) => {
    const { family, batch } = commandOf(command);
    const events = eventsOf({ command, body });
    expect(events.length).toBe(batch === undefined ? 1 : JSON.parse(body)[batch].length);
    for (const event of events) {
      expect(event).toMatchObject({ record: family.record, topic: family.topic });
      if (event.record === 'DeadLetter' || event.record === 'UnknownCallback') continue;
      expect(JSON.parse(event.value.extras ?? '{}')).toEqual(leftovers[name] ?? {});
    }
  });
});

describe('keys', () => {
  const keyOf = (command: string, body: object) => eventsOf({ command, body })[0]?.key;

  it.each([
    ['a group message by its group', 'Group.CallbackAfterSendMsg', { GroupId: 'g', From_Account: 'a' }, 'g'],
    ['an official account by itself', 'OfficialAccount.CallbackAfterSendMsg', { Official_Account: 'o' }, 'o'],
    ['a report of reading by who reports', 'C2C.CallbackAfterMsgReport', { Report_Account: 'r' }, 'r'],
    ['a one-to-one message by its sender', 'C2C.CallbackAfterSendMsg', { From_Account: 'a', To_Account: 'b' }, 'a'],
    ['a state by whose it is', 'State.StateChange', { Info: { To_Account: 'a' } }, 'a'],
    ['a profile by whose it is', 'Profile.CallbackPortraitSet', { From_Account: 'a' }, 'a'],
    ['a relation by who asks', 'Sns.CallbackPrevFriendAdd', { Requester_Account: 'r', From_Account: 'a' }, 'r'],
    ['a list of pairs by the first of them', 'Sns.CallbackFriendAdd', { PairList: [{ From_Account: 'p' }, {}] }, 'p'],
    ['a group without an id by who makes it', 'Group.CallbackBeforeCreateGroup', { Operator_Account: 'o' }, 'o'],
    ['a notification by who gets it', 'Push.OfflinePush', { Events: [{ To_Account: 't', From_Account: 'a' }] }, 't'],
    ['an alarm by nothing', 'Alert.RequestOverLimit', { ServiceName: 's', From_Account: 'a' }, ''],
  ])('%s', (_what, command, body, part) => {
    expect(keyOf(command, body)).toBe(`${sdkAppId}/${part}`);
  });
});

describe('fields', () => {
  const message = (body: object) => eventOf('MessageEvent', { command: 'C2C.CallbackAfterSendMsg', body }).value;
  const invalid = (command: string, body: object) => {
    const { reason, fieldPath } = eventOf('DeadLetter', { command, body }).value;
    return [reason, fieldPath];
  };

  it('hold a plain text element as its text, and any other content as JSON text', () => {
    const content = { Data: 'x', Size: 12345678901234567890n };
    const body = `{"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"hi"}},
      {"MsgType":"TIMCustomElem","MsgContent":{"Data":"x","Size":${content.Size}}}]}`;
    const { msgBody, extras } = eventOf('MessageEvent', { command: 'C2C.CallbackAfterSendMsg', body }).value;
    expect(msgBody).toEqual([
      { msgType: 'TIMTextElem', text: 'hi', msgContent: null },
      { msgType: 'TIMCustomElem', text: null, msgContent: '{"Data":"x","Size":12345678901234567890}' },
    ]);
    expect(extras).toBeNull();
  });

  it('hold seconds in milliseconds', () => {
    expect(message({ MsgTime: 1557481126 })).toMatchObject({
      msgTime: 1557481126000,
      occurredAt: 1557481126000,
      extras: null,
    });
  });

  it('hold numbers given as text, which are also left over', () => {
    expect(message({ MsgSeq: '48374' })).toMatchObject({ msgSeq: 48374, extras: '{"MsgSeq":"48374"}' });
  });

  it.each(['9007199254740993', '9007199254740991', '-9007199254740991'])(
    'are null for %s, beyond what a long is written from, which is left over with its digits',
    (number) => {
      const { value } = eventOf('MessageEvent', {
        command: 'C2C.CallbackAfterSendMsg',
        body: `{"MsgSeq":${number}}`,
      });
      expect(value).toMatchObject({ msgSeq: null, extras: `{"MsgSeq":${number}}` });
    },
  );

  it('leave a list over whole when an object in it holds more than its record', () => {
    const items = [{ Member_Account: 'a' }, { Member_Account: 'b', New: 1 }];
    const { value } = eventOf('GroupEvent', {
      command: 'Group.CallbackAfterNewMemberJoin',
      body: { GroupId: 'g', EventTime: 1e12, NewMemberList: items },
    });
    expect(value.newMemberList).toEqual(['a', 'b']);
    expect(JSON.parse(value.extras ?? '')).toEqual({ NewMemberList: items });
  });

  it.each([
    ['a number for a text', 'C2C.CallbackAfterSendMsg', { From_Account: 5 }, '/From_Account'],
    ['a word for a number', 'C2C.CallbackAfterSendMsg', { MsgSeq: 'many' }, '/MsgSeq'],
    ['a fraction for a whole number', 'C2C.CallbackAfterSendMsg', { MsgSeq: 1.5 }, '/MsgSeq'],
    ['a text for a list', 'Group.CallbackAfterNewMemberJoin', { NewMemberList: 'a' }, '/NewMemberList'],
    ['a text for an object of a list', 'C2C.CallbackAfterSendMsg', { MsgBody: ['x'] }, '/MsgBody/0'],
    [
      'a number for a text of a list',
      'Group.CallbackAfterNewMemberJoin',
      { NewMemberList: [{ Member_Account: 'a' }, { Member_Account: 1 }] },
      '/NewMemberList/1/Member_Account',
    ],
    ['a text for an object', 'State.StateChange', { Info: 'Login' }, '/Info'],
    ['a number inside an object', 'State.StateChange', { Info: { Action: 1 } }, '/Info/Action'],
    [
      'a text for the content of an element',
      'C2C.CallbackAfterSendMsg',
      { MsgBody: [{ MsgContent: 'x' }] },
      '/MsgBody/0/MsgContent',
    ],
    ['a word for EventTime', 'State.StateChange', { EventTime: 'now' }, '/EventTime'],
  ])('refuse %s, and say where it is', (_what, command, body, path) => {
    expect(invalid(command, body)).toEqual(['FIELD_INVALID', path]);
  });
});
