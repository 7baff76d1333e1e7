import type { Community, User } from './community.ts';
import { type Callback, clientOf, keyOf, type Message, receiversOf, seconds } from './message.ts';
import { below, oneOf, type Random } from './random.ts';

/** What an activity may look at. */
export interface Scene {
  readonly community: Community;
  readonly random: Random;
  readonly timeMs: number;
  /** Who does it. */
  readonly user: User;
  /** Messages of late, the newest last. */
  readonly recent: readonly Message[];
}

/** What users do beside writing. `undefined`: it is not possible just now. */
export type Activity = (scene: Scene) => Callback | undefined;

const mostPushes = 10;

/** Each activity and its share of all that users do; the rest of it is writing. */
export const activities: readonly { readonly share: number; readonly act: Activity }[] = [
  { share: 0.16, act: changeState },
  { share: 0.15, act: read },
  { share: 0.08, act: push },
  { share: 0.04, act: join },
  { share: 0.03, act: leave },
  { share: 0.04, act: befriend },
  { share: 0.03, act: recall },
  { share: 0.01, act: changeProfile },
];

function changeState({ user, timeMs, random }: Scene): Callback {
  user.isOnline = !user.isOnline;
  const off = random() < 0.7 ? { Action: 'Logout', Reason: 'Unregister' } : { Action: 'Disconnect', Reason: 'TimeOut' };
  const { Action, Reason } = user.isOnline ? { Action: 'Login', Reason: 'Register' } : off;
  const Info = { Action, To_Account: user.account, Reason };
  const { ip, platform } = user;
  // Tencent writes this platform in another way here than everywhere else.
  const query = { ClientIP: ip, OptPlatform: platform === 'iOS' ? 'IOS' : platform };
  return callback('State.StateChange', { EventTime: timeMs, Info }, query);
}

function read({ random, recent, timeMs }: Scene): Callback | undefined {
  const message = someRecent(random, recent);
  if (message === undefined) return undefined;
  const [reader, ...others] = receiversOf(message, 3, random);
  if (reader === undefined) return undefined;
  const { to, sender, seq } = message;
  if ('user' in to) {
    const unread = { LastReadTime: seconds(timeMs), UnreadMsgNum: below(random, 5) };
    const who = { Report_Account: reader.account, Peer_Account: sender.account };
    return callback('C2C.CallbackAfterMsgReport', { ...who, ...unread }, clientOf(reader));
  }
  const { id, type, members } = to.group;
  const readers = [reader, ...others].map(({ account }) => ({ Member_Account: account }));
  const unreadCount = Math.max(0, members.length - 1 - readers.length);
  const receipt = { MsgSeq: seq, ReadNum: readers.length, UnreadNum: unreadCount, ReadReceiptMembers: readers };
  const body = { GroupId: id, Type: type, GroupMsgReceiptList: [receipt], EventTime: String(timeMs) };
  return callback('Group.CallbackAfterReadReceipt', body, clientOf(reader));
}

function push({ random, recent, timeMs }: Scene): Callback | undefined {
  const message = someRecent(random, recent);
  if (message === undefined) return undefined;
  const { to, sender, seq, random: msgRandom, timeMs: sentMs } = message;
  const which =
    'user' in to
      ? { MsgKey: keyOf(message), MsgSeq: seq, MsgRandom: msgRandom }
      : { GroupID: to.group.id, MsgSeq: seq };
  const events = receiversOf(message, 1 + below(random, mostPushes), random).map((receiver) => {
    const isExpired = random() < 0.1;
    return {
      CallbackCommand: 'Push.OfflinePush',
      EventType: 1,
      EventTime: seconds(timeMs),
      From_Account: sender.account,
      To_Account: receiver.account,
      PushPlatform: receiver.platform === 'iOS' ? 1 : 2 + below(random, 4),
      PushStage: 1,
      ...which,
      MsgTime: seconds(sentMs),
      ErrCode: isExpired ? 1001 : 0,
      ErrInfo: isExpired ? 'token expired' : '',
    };
  });
  return events.length === 0 ? undefined : { command: 'Push.OfflinePush', body: { Events: events } };
}

function join({ community, user, timeMs }: Scene): Callback | undefined {
  const group = community.join(user);
  if (group === undefined) return undefined;
  const who = { JoinType: 'Apply', Operator_Account: user.account, NewMemberList: [{ Member_Account: user.account }] };
  const body = { GroupId: group.id, Type: group.type, ...who, EventTime: timeMs };
  return callback('Group.CallbackAfterNewMemberJoin', body, clientOf(user));
}

function leave({ community, user, timeMs }: Scene): Callback | undefined {
  const group = community.leave(user);
  if (group === undefined) return undefined;
  const who = { ExitType: 'Quit', Operator_Account: user.account, ExitMemberList: [{ Member_Account: user.account }] };
  const body = { GroupId: group.id, Type: group.type, ...who, EventTime: timeMs };
  return callback('Group.CallbackAfterMemberExit', body, clientOf(user));
}

function befriend({ community, user }: Scene): Callback | undefined {
  const friend = community.befriend(user);
  if (friend === undefined) return undefined;
  const pair = { From_Account: user.account, To_Account: friend.account, Initiator_Account: user.account };
  return callback('Sns.CallbackFriendAdd', { PairList: [pair], ClientCmd: 'friend_add', ForceFlag: 0 }, clientOf(user));
}

function recall({ random, recent, timeMs }: Scene): Callback | undefined {
  const message = someRecent(random, recent);
  if (message === undefined) return undefined;
  const { sender, to, seq } = message;
  if ('user' in to) {
    const who = { From_Account: sender.account, To_Account: to.user.account };
    const which = { MsgKey: keyOf(message), UnreadMsgNum: below(random, 5) };
    return callback('C2C.CallbackAfterMsgWithDraw', { ...who, ...which }, clientOf(sender));
  }
  const where = { Operator_Account: sender.account, Type: to.group.type, GroupId: to.group.id };
  const body = { ...where, MsgSeqList: [{ MsgSeq: seq }], EventTime: timeMs };
  return callback('Group.CallbackAfterRecallMsg', body, clientOf(sender));
}

function changeProfile({ user, random, timeMs }: Scene): Callback {
  const item = { Tag: 'Tag_Profile_IM_Nick', Value: `nick ${below(random, 1_000)}` };
  const who = { Operator_Account: user.account, From_Account: user.account };
  return callback('Profile.CallbackPortraitSet', { ...who, EventTime: timeMs, ProfileItem: [item] }, clientOf(user));
}

function someRecent(random: Random, recent: readonly Message[]): Message | undefined {
  return recent.length === 0 ? undefined : oneOf(random, recent);
}

function callback(command: string, body: object, query: Readonly<Record<string, string>>): Callback {
  return { command, body: { CallbackCommand: command, ...body }, query };
}
