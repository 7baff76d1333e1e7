import {
  actionAnswers,
  type BeforeAnswers,
  friendAnswers,
  invitationAnswers,
  messageAnswers,
} from './before-answers.ts';
import { groups } from './families/group.ts';
import { messages } from './families/message.ts';
import { operations } from './families/operation.ts';
import { others } from './families/other.ts';
import { pushes } from './families/push.ts';
import { relations } from './families/relation.ts';
import { users } from './families/user.ts';
import { verdicts } from './families/verdict.ts';
import type { EventName, Family } from './family.ts';

/** What one command is: a row. */
export interface Command {
  /** When Tencent sends it. */
  readonly about: string;
  readonly family: { [N in EventName]: Family<N> }[EventName];
  /** Field of the body that holds a list of callbacks, each of which becomes an event of its own; at most `maxBatchItems`. */
  readonly batch?: string;
  /** What may be answered, for a command that asks before something happens. */
  readonly before?: BeforeAnswers;
}

/** Ten times what Tencent documents (1047/67552): a body that holds more is no batch of Tencent's. */
export const maxBatchItems = 1_000;

/** Codes of an app's own that the sender of a one-to-one message may be shown (1047/34364), and those for groups. */
const c2cCodes = [120_001, 130_000] as const;
const groupCodes = [10_100, 10_200] as const;

const rows: Readonly<Record<string, Command>> = {
  'ContentCallback.ResultNotify': { family: verdicts, about: 'content moderation has decided' },

  'C2C.CallbackBeforeSendMsg': {
    family: messages,
    about: 'before a one-to-one message is sent',
    before: messageAnswers(c2cCodes),
  },
  'C2C.CallbackAfterSendMsg': { family: messages, about: 'a one-to-one message was sent, or not' },
  'C2C.CallbackAfterMsgReport': { family: messages, about: 'one-to-one messages were read' },
  'C2C.CallbackAfterMsgWithDraw': { family: messages, about: 'a one-to-one message was recalled' },
  'C2C.CallbackAfterModifyMsg': { family: messages, about: 'a one-to-one message was changed' },
  'C2C.CallbackAfterC2CMsgExtension': { family: messages, about: 'the extension of a one-to-one message changed' },
  'Group.CallbackBeforeSendMsg': {
    family: messages,
    about: 'before a group message is sent',
    before: messageAnswers(groupCodes),
  },
  'Group.CallbackAfterSendMsg': { family: messages, about: 'a group message was sent' },
  'Group.CallbackSendMsgException': { family: messages, about: 'a group message was refused' },
  'Group.CallbackAfterRecallMsg': { family: messages, about: 'group messages were recalled' },
  'Group.CallbackAfterReadReceipt': { family: messages, about: 'group messages were read' },
  'Group.CallbackAfterGroupMsgExtension': { family: messages, about: 'the extension of a group message changed' },
  'Bot.OnC2CMessage': { family: messages, about: 'somebody wrote to a bot' },
  'Bot.OnGroupMessage': { family: messages, about: 'a bot was addressed in a group' },
  'Chatbot.OnC2CSignalMessage': { family: messages, about: 'a client signalled to a chat bot' },
  'OfficialAccount.CallbackBeforeSendMsg': {
    family: messages,
    about: 'before a message of an official account is sent',
    before: messageAnswers(groupCodes),
  },
  'OfficialAccount.CallbackAfterSendMsg': { family: messages, about: 'a message of an official account was sent' },
  'OfficialAccount.CallbackAfterMsgWithDraw': {
    family: messages,
    about: 'messages of an official account were recalled',
  },

  'State.StateChange': { family: users, about: 'a user came on line or went off line' },
  'Profile.CallbackPortraitSet': { family: users, about: 'a profile changed' },

  'Sns.CallbackPrevFriendAdd': {
    family: relations,
    about: 'before friends are added',
    before: friendAnswers('FriendItem'),
  },
  'Sns.CallbackPrevFriendResponse': {
    family: relations,
    about: 'before a friend request is answered',
    before: friendAnswers('ResponseFriendItem'),
  },
  'Sns.CallbackFriendAdd': { family: relations, about: 'friends were added' },
  'Sns.CallbackFriendDelete': { family: relations, about: 'friends were removed' },
  'Sns.CallbackBlackListAdd': { family: relations, about: 'users were blocked' },
  'Sns.CallbackBlackListDelete': { family: relations, about: 'users were unblocked' },
  'Follow.CallbackAfterFollowAdd': { family: relations, about: 'users were followed' },
  'Follow.CallbackAfterFollowDelete': { family: relations, about: 'users were unfollowed' },

  'Group.CallbackBeforeCreateGroup': {
    family: groups,
    about: 'before a group is made',
    before: actionAnswers(groupCodes),
  },
  'Group.CallbackAfterCreateGroup': { family: groups, about: 'a group was made' },
  'Group.CallbackBeforeApplyJoinGroup': {
    family: groups,
    about: 'before somebody asks to join a group',
    before: actionAnswers(groupCodes),
  },
  'Group.CallbackBeforeInviteJoinGroup': {
    family: groups,
    about: 'before members are invited',
    before: invitationAnswers(groupCodes),
  },
  'Group.CallbackAfterNewMemberJoin': { family: groups, about: 'members joined' },
  'Group.CallbackAfterMemberExit': { family: groups, about: 'members left or were removed' },
  'Group.CallbackAfterGroupFull': { family: groups, about: 'a group is full' },
  'Group.CallbackAfterGroupDestroyed': { family: groups, about: 'a group was ended' },
  'Group.CallbackAfterGroupInfoChanged': { family: groups, about: 'the profile of a group changed' },
  'Group.CallbackAfterGroupAttrChanged': { family: groups, about: 'the attributes of a group changed' },
  'Group.CallbackAfterMemberFieldChanged': { family: groups, about: 'the fields of a member changed' },
  'Group.CallbackAfterChangeGroupOwner': { family: groups, about: 'a group has another owner' },
  'Group.CallbackOnMemberStateChange': { family: groups, about: 'members of a live group came or went' },
  'Group.CallbackBeforeCreateTopic': {
    family: groups,
    about: 'before a topic is made',
    before: actionAnswers(groupCodes),
  },
  'Group.CallbackAfterCreateTopic': { family: groups, about: 'a topic was made' },
  'Group.CallbackAfterTopicDestroyed': { family: groups, about: 'topics were ended' },
  'Group.CallbackAfterTopicInfoChanged': { family: groups, about: 'the profile of a topic changed' },
  'OfficialAccount.CallbackBeforeCreateOfficialAccount': {
    family: groups,
    about: 'before an official account is made',
    before: actionAnswers(groupCodes),
  },
  'OfficialAccount.CallbackAfterCreateOfficialAccount': { family: groups, about: 'an official account was made' },
  'OfficialAccount.CallbackAfterOfficialAccountInfoChanged': {
    family: groups,
    about: 'the profile of an official account changed',
  },
  'OfficialAccount.CallbackAfterOfficialAccountDestroyed': { family: groups, about: 'an official account was ended' },
  'OfficialAccount.CallbackBeforeAddSubscriber': {
    family: groups,
    about: 'before somebody subscribes to an official account',
    before: actionAnswers(groupCodes),
  },
  'OfficialAccount.CallbackAfterAddSubscriber': { family: groups, about: 'users subscribed to an official account' },
  'OfficialAccount.CallbackAfterDeleteSubscriber': { family: groups, about: 'users left an official account' },
  'OfficialAccount.CallbackAfterOfficialAccountFull': { family: groups, about: 'an official account is full' },

  'Push.OfflinePush': {
    family: pushes,
    about: 'notifications of messages were sent, arrived or clicked',
    batch: 'Events',
  },
  'Push.AllMemberPush': {
    family: pushes,
    about: 'notifications to all users were sent, arrived or clicked',
    batch: 'Events',
  },

  'Alert.RequestOverLimit': { family: operations, about: 'REST calls are over their limit' },
  'Group.CallbackOnDailyGroupQuotaAlarm': { family: operations, about: 'new groups are near the quota of the day' },

  'Call.CallbackAfterStartCall': { family: others, about: 'a call began' },
  'Call.CallbackAfterEndCall': { family: others, about: 'a call ended' },
  'Call.CallbackAfterMemberChanged': { family: others, about: 'the members of a call changed' },
  'Live.CallbackAfterCreateRoom': { family: others, about: 'a live room was made' },
  'Live.CallbackAfterDestroyRoom': { family: others, about: 'a live room was ended' },
  'Live.CallbackAfterUpdateRoomInfo': { family: others, about: 'the profile of a live room changed' },
  'Live.CallbackAfterSetMetadata': { family: others, about: 'metadata of a live room was set' },
  'Live.CallbackAfterDelMetadata': { family: others, about: 'metadata of a live room was removed' },
  'Live.CallbackAfterCreateRoomReachingThreshold': { family: others, about: 'live rooms are near their limit' },
  'Live.CallbackAfterMemberStateChanged': { family: others, about: 'members of a live room came or went' },
  'Live.CallbackAfterChangeOwner': { family: others, about: 'a live room has another owner' },
  'Live.CallbackAfterModifyAdmin': { family: others, about: 'the administrators of a live room changed' },
  'Live.CallbackAfterCreateBattle': { family: others, about: 'a battle of live rooms was made' },
  'Live.CallbackAfterStartBattle': { family: others, about: 'a battle of live rooms began' },
  'Live.CallbackAfterEndBattle': { family: others, about: 'a battle of live rooms ended' },
  'Live.CallbackBeforeSendGift': {
    family: others,
    about: 'before a gift is sent in a live room',
    before: actionAnswers(undefined),
  },
  'Mic.CallbackAfterSeatInfoChanged': { family: others, about: 'the seats of a live room changed' },
};

const byName: ReadonlyMap<string, Command> = new Map(Object.entries(rows));

/** Every command that has a row of its own, in the order of the documents. */
export const commands: ReadonlyMap<string, Command> = byName;

const unknown: Command = { family: others, about: 'not known to imwatch' };

/** The row of `command`; one that has none is kept whole on `im.callback.v1`, whatever its prefix. */
export function commandOf(command: string): Command {
  return byName.get(command) ?? unknown;
}

/** Whether a command asks before something happens, by its row, else by the way Tencent names such commands. */
export function asksBefore(command: string): boolean {
  const row = byName.get(command);
  return row === undefined ? /\.Callback(Before|Prev)/.test(command) : row.before !== undefined;
}
