import type { Group, User } from './community.ts';
import type { Finding } from './findings.ts';
import { below, oneOf, type Random } from './random.ts';

/** A callback before it has a time of delivery. */
export interface Callback {
  readonly command: string;
  readonly body: object;
  /** Parameters of the query beside those that every callback has. */
  readonly query?: Readonly<Record<string, string>>;
}

/** Something that was written, to a group or to a user. */
export interface Message {
  readonly number: number;
  readonly sender: User;
  readonly to: { readonly group: Group } | { readonly user: User };
  readonly finding: Finding;
  readonly timeMs: number;
  readonly seq: number;
  readonly random: number;
}

const groupShare = 0.6;
const maxUint32 = 2 ** 32;

/** A message of `sender` to one of his groups or friends. */
export function writeMessage(
  about: { readonly number: number; readonly sender: User; readonly finding: Finding; readonly timeMs: number },
  random: Random,
): Message {
  const { sender } = about;
  const random32 = below(random, maxUint32);
  if (random() < groupShare || sender.friends.length === 0) {
    const group = oneOf(random, sender.groups);
    group.lastSeq += 1;
    return { ...about, to: { group }, seq: group.lastSeq, random: random32 };
  }
  return { ...about, to: { user: oneOf(random, sender.friends) }, seq: below(random, maxUint32), random: random32 };
}

/** Some of those who see it: the other user, or members of the group. */
export function receiversOf({ sender, to }: Message, most: number, random: Random): readonly User[] {
  if ('user' in to) return [to.user];
  const { members } = to.group;
  const first = below(random, members.length);
  const found = Array.from(
    { length: Math.min(most, members.length) },
    (_, index) => members[(first + index) % members.length],
  );
  return found.filter((member) => member !== undefined && member !== sender) as User[];
}

/** What a client adds to the query of what its user does. */
export function clientOf({ ip, platform }: User): Readonly<Record<string, string>> {
  return { ClientIP: ip, OptPlatform: platform };
}

/** Three parts: sequence number, random number and second, which is the MsgKey of a one-to-one message. */
export function keyOf({ seq, random, timeMs }: Message): string {
  return `${seq}_${random}_${seconds(timeMs)}`;
}

export function seconds(timeMs: number): number {
  return Math.floor(timeMs / 1_000);
}

/** The callback after a message was sent, or was not because moderation kept it back. */
export function sentCallback(message: Message, random: Random): Callback {
  const { sender, to } = message;
  return {
    ...('group' in to ? groupMessage(message, to.group) : userMessage(message, to.user, random)),
    query: clientOf(sender),
  };
}

function groupMessage(message: Message, group: Group): Callback {
  const { finding, sender, seq, random, timeMs } = message;
  const who = { GroupId: group.id, Type: group.type, From_Account: sender.account, Operator_Account: sender.account };
  if (finding.result === 1) {
    const command = 'Group.CallbackSendMsgException';
    const why = { ErrorCode: blockedCode, ErrorInfo: blockedInfo, EventTime: timeMs };
    const body = { CallbackCommand: command, ...who, Random: random, OnlineOnlyFlag: 0, ...elements(message), ...why };
    return { command, body };
  }
  const command = 'Group.CallbackAfterSendMsg';
  const which = { Random: random, MsgSeq: seq, MsgTime: seconds(timeMs), OnlineOnlyFlag: 0 };
  // Tencent writes the EventTime of this one callback as a text.
  const body = { CallbackCommand: command, ...who, ...which, ...elements(message), EventTime: String(timeMs) };
  return { command, body };
}

function userMessage(message: Message, receiver: User, draw: Random): Callback {
  const { finding, sender, seq, random, timeMs } = message;
  const command = 'C2C.CallbackAfterSendMsg';
  const isBlocked = finding.result === 1;
  const body = {
    CallbackCommand: command,
    From_Account: sender.account,
    To_Account: receiver.account,
    MsgSeq: seq,
    MsgRandom: random,
    MsgTime: seconds(timeMs),
    MsgKey: keyOf(message),
    OnlineOnlyFlag: 0,
    SendMsgResult: isBlocked ? blockedCode : 0,
    ErrorInfo: isBlocked ? blockedInfo : 'send msg succeed',
    UnreadMsgNum: below(draw, 20),
    ...elements(message),
  };
  return { command, body };
}

const blockedCode = 80_001;
const blockedInfo = 'hit by security';

function elements({ number }: Message): object {
  return { MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: textOf(number) } }] };
}

function textOf(number: number): string {
  return `message ${number}`;
}

/** The verdict about a message. */
export function verdictCallback(
  message: Message,
  about: { readonly sdkAppId: number; readonly seed: number },
): Callback {
  const { number, sender, to, finding, timeMs } = message;
  const { result, suggestion, label, subLabel } = finding;
  const contact =
    'group' in to ? { ContactType: 2, ToGroupId: to.group.id } : { ContactType: 1, To_Account: to.user.account };
  const body = {
    Scene: 'group' in to ? 'Group' : 'C2C',
    SdkAppId: about.sdkAppId,
    From_Account: sender.account,
    ContactItem: contact,
    ContentType: 'Text',
    TextContent: [textOf(number)],
    MsgID: keyOf(message),
    CtxcbResult: result,
    CtxcbRequestId: `simulated-${about.seed}-${timeMs}-${number}`,
    ...(result === 1 && { CtxcbKeywords: [label.toLowerCase()] }),
    CtxcbSuggestion: suggestion,
    CtxcbLabel: label,
    ...(subLabel !== undefined && { CtxcbSubLabel: subLabel }),
  };
  return { command: 'ContentCallback.ResultNotify', body };
}
