import type { Envelope, RecordOf } from '../../schemas/generated/events.ts';
import type { BodyReader } from './body-reader.ts';
import { verdictFields } from './content-verdict.ts';
import { isArray, isObject, type JsonObject, type JsonValue } from './json.ts';
import type { IngestRecordName, IngestTopicId } from './request.ts';
import type { TextPolicy } from './text-policy.ts';

/** The fields of an event beyond its envelope. */
export type OwnFields<N extends IngestRecordName> = Omit<RecordOf[N], keyof Envelope>;

/** Callbacks that become the same record on the same topic. */
export interface Family<N extends IngestRecordName = IngestRecordName> {
  readonly record: N;
  readonly topic: IngestTopicId;
  /** The first of these that the body has as a text goes into the record's key. */
  readonly keyNames: readonly string[];
  /** Whether a time under EventTime must be readable; a body that is only kept may hold anything. */
  readonly interpreted: boolean;
  /** Reads the body's fields; throws `FieldInvalid`. */
  readonly fields: (reader: BodyReader, texts: TextPolicy) => OwnFields<N>;
}

/** What one command is: a row. */
export interface Command {
  readonly family: Family;
  /** Field of the body that holds a list of callbacks, each of which becomes an event of its own; at most `maxBatchItems`. */
  readonly batch?: string;
  /** What the answer carries beyond ActionStatus, ErrorCode and ErrorInfo: here always "allow". */
  readonly answer?: (body: JsonObject) => Readonly<Record<string, unknown>>;
}

/** Ten times what Tencent documents (1047/67552): a body that holds more is no batch of Tencent's. */
export const maxBatchItems = 1_000;

const verdicts: Family<'ContentVerdict'> = {
  record: 'ContentVerdict',
  topic: 'verdict',
  keyNames: ['From_Account'],
  interpreted: true,
  fields: verdictFields,
};

const others: Family<'UnknownCallback'> = {
  record: 'UnknownCallback',
  topic: 'callback',
  keyNames: ['From_Account', 'GroupId'],
  interpreted: false,
  fields: (reader) => ({ fromAccount: reader.textIfAny('From_Account'), groupId: reader.textIfAny('GroupId') }),
};

const rows: Readonly<Record<string, Command>> = {
  'ContentCallback.ResultNotify': { family: verdicts },
  'Sns.CallbackPrevFriendAdd': { family: others, answer: allowEach('FriendItem') },
  'Sns.CallbackPrevFriendResponse': { family: others, answer: allowEach('ResponseFriendItem') },
  'Group.CallbackBeforeInviteJoinGroup': { family: others, answer: () => ({ RefusedMembers_Account: [] }) },
  'Push.OfflinePush': { family: others, batch: 'Events' },
  'Push.AllMemberPush': { family: others, batch: 'Events' },
};

const byName: ReadonlyMap<string, Command> = new Map(Object.entries(rows));

/** Commands that have a row of their own. */
export const knownCommands: readonly string[] = [...byName.keys()];

/** The row of `command`; one that has none is kept whole on `im.callback.v1`, whatever its prefix. */
export function commandOf(command: string): Command {
  return byName.get(command) ?? { family: others };
}

/** Allows every friend request of the list under `name`, as friend callbacks expect it: an item for each account. */
function allowEach(name: string): (body: JsonObject) => { ResultItem: readonly unknown[] } {
  return (body) => {
    const items: JsonValue | undefined = body[name];
    const accounts = isArray(items) ? items.filter(isObject).map((item) => item['To_Account']) : [];
    return {
      ResultItem: accounts
        .filter((account) => typeof account === 'string')
        .map((account) => ({ To_Account: account, ResultCode: 0, ResultInfo: '' })),
    };
  };
}
