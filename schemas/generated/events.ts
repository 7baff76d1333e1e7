// Generated from schemas/avro/*.avsc by `npm run generate`; change the schemas instead.

/** The fields that every event of ingest starts with. */
export interface Envelope {
  /** Identifies the callback: 32 hexadecimal digits, filled by ingest from app, command and body (keyed with IMWATCH_ID_SECRET when set). A redelivery has the same id, so consumers de-duplicate by it. */
  readonly eventId: string;
  /** SDKAppID of the Tencent IM app, from the query parameter SdkAppid. */
  readonly sdkAppId: number;
  /** CallbackCommand, from the query, else from the body; in a batch, of the item. */
  readonly command: string;
  /** When ingest received the request, in milliseconds since 1970 UTC. Windows and penalties use this time. */
  readonly receivedAt: number;
  /** When it happened by Tencent's clock, in milliseconds since 1970 UTC: EventTime, else MsgTime or LastReadTime, else the time part of a MsgKey. Null where the body has no time. */
  readonly occurredAt: number | null;
  /** Query parameter ClientIP: address of the end user's client. Null where Tencent sends none (moderation results, push). */
  readonly clientIp: string | null;
  /** Query parameter OptPlatform as received: RESTAPI, Web, Android, iOS (IOS for state changes), Windows, Mac, iPad, Unknown. Null where Tencent sends none. */
  readonly optPlatform: string | null;
  /** Query parameter RequestID (not documented by Tencent): id of the delivery. Null where absent. */
  readonly requestId: string | null;
  /** Query parameter RequestTime, which Tencent sends in seconds, in milliseconds since 1970 UTC. Null when callback authentication is off. */
  readonly requestTime: number | null;
  /** JSON text of what the fields do not hold or do not hold exactly, at its path in the body; unknown query parameters under "?". Null when nothing is left over. Texts in it follow IMWATCH_TEXT. */
  readonly extras: string | null;
}

/** A moderation verdict: ContentCallback.ResultNotify. What the platform did (result) and what the engine advised (suggestion) stay apart. */
export interface ContentVerdict extends Envelope {
  /** Scene: what was moderated, as received: C2C, C2CCustom, Group, GroupCustom, GroupInfo, GroupMemberInfo, RelationChain, UserInfo, or a word that Tencent adds. Null when absent. */
  readonly scene: string | null;
  /** From_Account: UserID of who wrote the content. Null when absent. */
  readonly fromAccount: string | null;
  /** ContactItem.ContactType: whom the message was for. Null for scenes without a recipient, such as profiles. */
  readonly contactType: 'C2C' | 'GROUP' | null;
  /** ContactItem.To_Account: UserID of the recipient of a C2C message. Null otherwise. */
  readonly toAccount: string | null;
  /** ContactItem.ToGroupId: group that the message was for. Null otherwise. */
  readonly toGroupId: string | null;
  /** ContentType as received: Text, Image, Audio, Video. Null when absent. */
  readonly contentType: string | null;
  /** TextContent: the texts that were moderated; several for custom messages. Empty when absent, or when IMWATCH_TEXT=none; hmac-sha256 digests when IMWATCH_TEXT=hmac. */
  readonly textContent: readonly string[];
  /** FileURL: address of the image, audio or video. Null for texts and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly fileUrl: string | null;
  /** MsgID: the MsgKey of a C2C message, the MsgSeq (decimal digits) of a group message. Null for a group message that was blocked or not delivered, and for scenes without a message. */
  readonly msgId: string | null;
  /** CtxcbResult: what the platform did with the content. */
  readonly result: 'BLOCKED' | 'PASSED';
  /** CtxcbSuggestion: what the moderation engine advised. Null when absent (documents before 2023). */
  readonly suggestion: 'BLOCK' | 'REVIEW' | 'PASS' | 'UNKNOWN' | null;
  /** CtxcbSuggestion as received, for example Normal. Null when absent. */
  readonly suggestionRaw: string | null;
  /** CtxcbLabel: first-level label as received: Normal, Illegal, Abuse, Polity, Ad, Porn, Sexy, Terror, Composite, or a custom one. Null when absent. */
  readonly label: string | null;
  /** CtxcbSubLabel: second-level label as received. Null when absent. */
  readonly subLabel: string | null;
  /** CtxcbSubLabelDesc: what the second-level label means, in Chinese. Null when absent. */
  readonly subLabelDescription: string | null;
  /** CtxcbLibName: custom word library that was hit. Null when absent. */
  readonly libraryName: string | null;
  /** CtxcbKeywords: the words that were hit. Empty when absent, or when IMWATCH_TEXT=none; digests when IMWATCH_TEXT=hmac. */
  readonly keywords: readonly string[];
  /** CtxcbRequestId: id of the moderation request. Null when absent. */
  readonly moderationRequestId: string | null;
  /** CloudCustomData of the message, echoed for C2C and Group. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly cloudCustomData: string | null;
  /** IsRestAPI: true when an active-moderation call asked for this verdict, false when the platform's own moderation did. Null when absent: unknown. */
  readonly isRestApi: boolean | null;
}

/** A callback whose command has no event of its own: its body stands in extras, nothing is interpreted. */
export interface UnknownCallback extends Envelope {
  /** From_Account, when the body has it as a text. Null otherwise. */
  readonly fromAccount: string | null;
  /** GroupId, when the body has it as a text. Null otherwise. */
  readonly groupId: string | null;
}

/** Input that could not become an event, or a record that a consumer could not handle, with what is needed to try again. */
export interface DeadLetter {
  /** Identifies the dead letter: 32 hexadecimal digits, by the same rule as an event's id. A redelivery has the same id. */
  readonly eventId: string;
  /** Service that wrote it: ingest, or a consumer's name. */
  readonly service: string;
  /** Reason code, for example BODY_NOT_JSON, FIELD_INVALID, COMMAND_MISSING. More codes may come. */
  readonly reason: string;
  /** JSON Pointer (RFC 6901) of the value that was wrong, for example /ContactItem/ContactType. Null when no single value is. */
  readonly fieldPath: string | null;
  /** What was wrong and what was expected, a sentence for people. Values from the body are shown only when IMWATCH_TEXT=full. */
  readonly detail: string;
  /** The body as received (in a batch: the item as JSON), or the value of the record that failed. Null when IMWATCH_TEXT=none; its texts are digests when IMWATCH_TEXT=hmac. */
  readonly body: Buffer | null;
  /** The query string as received, without Sign; unknown parameters are left out unless IMWATCH_TEXT=full. Null for records. */
  readonly query: string | null;
  /** CallbackCommand, as far as it is known. Null otherwise. */
  readonly command: string | null;
  /** SDKAppID, as far as it is known. Null otherwise. */
  readonly sdkAppId: number | null;
  /** Topic of the record that failed. Null for HTTP input. */
  readonly sourceTopic: string | null;
  /** Partition of the record that failed. Null for HTTP input. */
  readonly sourcePartition: number | null;
  /** Offset of the record that failed. Null for HTTP input. */
  readonly sourceOffset: number | null;
  /** Key of the record that failed, or that the event would have had. Null when there was none. */
  readonly key: Buffer | null;
  /** Headers of the record that failed, the last of a name. Empty for HTTP input. */
  readonly headers: Readonly<Record<string, Buffer>>;
  /** How often it was tried, at least 1. */
  readonly attempts: number;
  /** When it failed first, in milliseconds since 1970 UTC. */
  readonly firstFailedAt: number;
  /** When the input was received, or the record was written, in milliseconds since 1970 UTC. */
  readonly receivedAt: number;
}

/** How many verdicts of one kind one partition received in one window. Each record replaces the earlier ones of its key; the sum over keys is the total, redeliveries included. */
export interface Rollup {
  /** SDKAppID of the Tencent IM app, as the verdicts say. */
  readonly sdkAppId: number;
  /** Begin of the window by receivedAt, in milliseconds since 1970 UTC; a multiple of windowMs. */
  readonly windowStart: number;
  /** Length of the window in milliseconds. */
  readonly windowMs: number;
  /** Scene of the verdicts as received, for example C2C. Null for verdicts without one. */
  readonly scene: string | null;
  /** Label of the verdicts as received, for example Ad. Null for verdicts without one. */
  readonly label: string | null;
  /** What the engine advised: BLOCK, REVIEW, PASS or UNKNOWN. Null for verdicts without advice. */
  readonly suggestion: string | null;
  /** What the platform did: BLOCKED or PASSED. */
  readonly result: string;
  /** Partition of the verdict topic that was counted. */
  readonly inputPartition: number;
  /** Verdicts in the window so far. */
  readonly verdicts: number;
  /** Highest offset of the input partition that had been counted when this was written; what comes later is not in it. */
  readonly throughOffset: number;
  /** True when the window had ended when this was written; a late verdict still replaces it. */
  readonly isComplete: boolean;
  /** When this was written, in milliseconds since 1970 UTC. */
  readonly updatedAt: number;
}

/** One step in the history of a user's penalties. Entries are only added: the standing of a user is what they add up to. */
export interface LedgerEntry {
  /** Identifies the entry: the same when a verdict is handled again, so that repeats can be told apart. */
  readonly entryId: string;
  /** STRIKE: a verdict that counts. DECISION: what follows from the strikes. More words may come. */
  readonly kind: string;
  /** SDKAppID of the Tencent IM app, as the verdicts say. */
  readonly sdkAppId: number;
  /** The user, From_Account of the verdicts. */
  readonly account: string;
  /** When it took effect: receivedAt of the verdict that led to it, in milliseconds since 1970 UTC. */
  readonly at: number;
  /** SHADOW: written down only, nothing was done. LIVE: an action follows. */
  readonly mode: string;
  /** The verdicts behind it by eventId, oldest first; of a strike the one that is the strike. */
  readonly eventIds: readonly string[];
  /** The moderation requests of those verdicts, as far as they have one, in the same order. */
  readonly moderationRequestIds: readonly string[];
  /** Label of the verdict that led to it. Null where it has none. */
  readonly label: string | null;
  /** What the strike weighs, 1 for a plain one; 0 for a decision. */
  readonly weight: number;
  /** Weight of the strikes that count at this time, this one included. */
  readonly strikes: number;
  /** What is decided: MUTE. Null for a strike. */
  readonly action: string | null;
  /** When what is decided ends, in milliseconds since 1970 UTC. Null for a strike. */
  readonly until: number | null;
  /** The policy in force, its version or the numbers it consists of. */
  readonly policy: string;
  /** What happened and why, in words for people. */
  readonly reason: string;
}

/** A step in the life of one incident. The latest record of a fingerprint says how it is now. */
export interface Alert {
  /** Identifies the series that the incident is in: rule, app and labels. Two incidents of a series differ by startedAt. */
  readonly fingerprint: string;
  /** Name of the rule that found it. */
  readonly rule: string;
  /** PENDING: the rule begins to match. FIRING: somebody has to look. RESOLVED: it is over. */
  readonly status: 'PENDING' | 'FIRING' | 'RESOLVED';
  /** How urgent it is: warning or critical. More words may come. */
  readonly severity: string;
  /** SDKAppID of the Tencent IM app that it concerns. */
  readonly sdkAppId: number;
  /** What the series is about, for example label: Ad. */
  readonly labels: Readonly<Record<string, string>>;
  /** When the incident began, in milliseconds since 1970 UTC. */
  readonly startedAt: number;
  /** When it got this status, in milliseconds since 1970 UTC. */
  readonly changedAt: number;
  /** Verdicts in the rule's window at this time. */
  readonly observed: number;
  /** Verdicts that such a window has on average, by the time before the incident; 0 without such time. */
  readonly expected: number;
  /** observed divided by expected, of which at least 1 is taken. */
  readonly ratio: number;
  /** Different senders of those verdicts. */
  readonly distinctSenders: number;
  /** What happens, a sentence for people. */
  readonly summary: string;
  /** The same sentence in Chinese. */
  readonly summaryZh: string;
  /** Who and what stands out, with the number of verdicts: sender/<account>, scene/<scene>. */
  readonly contributors: Readonly<Record<string, number>>;
}

export interface RecordOf {
  ContentVerdict: ContentVerdict;
  UnknownCallback: UnknownCallback;
  DeadLetter: DeadLetter;
  Rollup: Rollup;
  LedgerEntry: LedgerEntry;
  Alert: Alert;
}

export type RecordName = keyof RecordOf;

export const recordNames = [
  'ContentVerdict',
  'UnknownCallback',
  'DeadLetter',
  'Rollup',
  'LedgerEntry',
  'Alert',
] as const satisfies readonly RecordName[];
