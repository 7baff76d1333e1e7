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

/** One element of a message. */
export interface MessageElement {
  /** MsgType as received: TIMTextElem, TIMImageElem, TIMCustomElem and others. Null when absent. */
  readonly msgType: string | null;
  /** MsgContent.Text: the words of a text element. Null for other elements and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly text: string | null;
  /** MsgContent as JSON text. Null for an element that holds nothing but text, and when IMWATCH_TEXT=none; its texts are digests when IMWATCH_TEXT=hmac. */
  readonly msgContent: string | null;
}

/** Somebody who is addressed by @ in a group message. */
export interface GroupAt {
  /** GroupAtAllFlag: 1 when everybody is addressed, else 0. Null when absent. */
  readonly groupAtAllFlag: number | null;
  /** GroupAt_Account: UserID of who is addressed. Null when absent. */
  readonly groupAtAccount: string | null;
}

/** A key of a message's extension. */
export interface MessageExtension {
  /** Key: name of the extension. Null when absent. */
  readonly key: string | null;
  /** Value of the extension. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly value: string | null;
  /** Seq: version of this key. Null when absent. */
  readonly seq: number | null;
}

/** How many members have read a group message. */
export interface ReadReceipt {
  /** MsgSeq: number of the message. Null when absent. */
  readonly msgSeq: number | null;
  /** ReadNum: members who have read it. Null when absent. */
  readonly readNum: number | null;
  /** UnreadNum: members who have not. Null when absent. */
  readonly unreadNum: number | null;
  /** ReadReceiptMembers: UserIDs of who has read it now. Empty when absent. */
  readonly readReceiptMembers: readonly string[];
}

/** A field of a profile that changed. */
export interface ProfileItem {
  /** Tag: name of the profile field, for example Tag_Profile_IM_Nick. Null when absent. */
  readonly tag: string | null;
  /** Value that the field has now; JSON text when it is no string. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly value: string | null;
}

/** Somebody who is asked to be a friend. */
export interface FriendRequest {
  /** To_Account: UserID of who is asked. Null when absent. */
  readonly toAccount: string | null;
  /** Remark that the requester gives the friend. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly remark: string | null;
  /** GroupName: list of friends that it goes to. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly groupName: string | null;
  /** AddSource: where the request comes from, AddSource_Type_… Null when absent. */
  readonly addSource: string | null;
  /** AddWording: what the requester says. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly addWording: string | null;
}

/** An answer to a friend request. */
export interface FriendResponse {
  /** To_Account: UserID of who had asked. Null when absent. */
  readonly toAccount: string | null;
  /** Remark that is given to the friend. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly remark: string | null;
  /** TagName: list of friends that it goes to. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly tagName: string | null;
  /** ResponseAction as received: Response_Action_Agree, Response_Action_AgreeAndAdd, Response_Action_Reject. Null when absent. */
  readonly responseAction: string | null;
}

/** Two users whose relation changed. */
export interface AccountPair {
  /** From_Account: UserID of whose list it is. Null when absent. */
  readonly fromAccount: string | null;
  /** To_Account: UserID of who was added to the list or removed from it. Null when absent. */
  readonly toAccount: string | null;
  /** Initiator_Account: UserID of who began it. Null when absent. */
  readonly initiatorAccount: string | null;
}

/** A property that an app gave a group. */
export interface GroupProperty {
  /** Key: name of the property. Null when absent. */
  readonly key: string | null;
  /** Value of the property; JSON text when it is no string. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly value: string | null;
}

/** A verdict that counts. */
export interface StandingStrike {
  /** The verdict. */
  readonly eventId: string;
  /** Its moderation request. Null where it has none. */
  readonly moderationRequestId: string | null;
  /** receivedAt of the verdict, in milliseconds since 1970 UTC. */
  readonly at: number;
  /** What it weighs, 1 for a plain one. */
  readonly weight: number;
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

/** A message and what happens to it: one-to-one, group, topic, bot and official account messages before and after they are sent, read, changed or recalled. */
export interface MessageEvent extends Envelope {
  /** From_Account: UserID of the sender; @TLS#NOT_FOUND for the administrator in groups. Null when absent. */
  readonly fromAccount: string | null;
  /** To_Account: UserID of the recipient of a one-to-one message. Null when absent. */
  readonly toAccount: string | null;
  /** Operator_Account: UserID of who did it, for example who recalled or changed the message. Null when absent. */
  readonly operatorAccount: string | null;
  /** GroupId: group of the message. Null when absent. */
  readonly groupId: string | null;
  /** TopicId: topic of a community that the message is in. Null when absent. */
  readonly topicId: string | null;
  /** Type: kind of the group as received: Public, Private, ChatRoom, AVChatRoom, Community, or a word that Tencent adds. Null when absent. */
  readonly type: string | null;
  /** Official_Account: official account that the message is of. Null when absent. */
  readonly officialAccount: string | null;
  /** Report_Account: UserID of who reports messages as read. Null when absent. */
  readonly reportAccount: string | null;
  /** Peer_Account: UserID of the other side of the conversation that was read. Null when absent. */
  readonly peerAccount: string | null;
  /** MsgSeq: number of the message; in a group it identifies the message and orders it. Null when absent. */
  readonly msgSeq: number | null;
  /** MsgRandom: random number of a one-to-one message, unsigned 32 bits. Null when absent. */
  readonly msgRandom: number | null;
  /** Random: random number of a group message, unsigned 32 bits. Null when absent. */
  readonly random: number | null;
  /** MsgTime: when the message was sent, which Tencent sends in seconds, in milliseconds since 1970 UTC. Null when absent. */
  readonly msgTime: number | null;
  /** LastReadTime: up to when messages are read, which Tencent sends in seconds, in milliseconds since 1970 UTC. Null when absent. */
  readonly lastReadTime: number | null;
  /** MsgKey: identifies a one-to-one message, <seq>_<random>_<seconds>. Null when absent. */
  readonly msgKey: string | null;
  /** MsgId: id of the message that the clients know (newer bodies). Null when absent. */
  readonly msgId: string | null;
  /** MsgPriority as received: High, Normal, Low, Lowest (not documented by Tencent). Null when absent. */
  readonly msgPriority: string | null;
  /** OnlineOnlyFlag: 1 for a message that is only delivered to who is online, else 0. Null when absent. */
  readonly onlineOnlyFlag: number | null;
  /** SendMsgResult: 0 when the message was delivered, else why not; the callback also comes for messages that were not. Null when absent. */
  readonly sendMsgResult: number | null;
  /** ErrorCode: why a group message was refused. Null when absent. */
  readonly errorCode: number | null;
  /** ErrorInfo: the result of sending in words. Null when absent. */
  readonly errorInfo: string | null;
  /** UnreadMsgNum: unread messages of the recipient, -1 when delivery failed. Null when absent. */
  readonly unreadMsgNum: number | null;
  /** MsgBody: the elements of the message, in order. Empty when absent. */
  readonly msgBody: readonly MessageElement[];
  /** CloudCustomData: what the app attached to the message. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly cloudCustomData: string | null;
  /** GroupAtInfo: who is addressed by @. Empty when absent. */
  readonly groupAtInfo: readonly GroupAt[];
  /** AtRobots_Account: UserIDs of the bots that are addressed. Empty when absent. */
  readonly atRobotsAccount: readonly string[];
  /** MsgSeqList: MsgSeq of the group messages that were recalled. Empty when absent. */
  readonly msgSeqList: readonly number[];
  /** WithdrawMsgList: MsgKey of the official account messages that were recalled. Empty when absent. */
  readonly withdrawMsgList: readonly string[];
  /** OperateType: what was done to the extension of a message: 1 set, 2 delete, 3 clear. Null when absent. */
  readonly operateType: number | null;
  /** ExtensionList: keys of the message's extension that changed. Empty when absent. */
  readonly extensionList: readonly MessageExtension[];
  /** Seq: version of the message's extension. Null when absent. */
  readonly seq: number | null;
  /** GroupMsgReceiptList: read receipts of group messages. Empty when absent. */
  readonly groupMsgReceiptList: readonly ReadReceipt[];
  /** Data: what a signal to a chat bot carries. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly data: string | null;
}

/** A user's state or profile: somebody comes online or goes offline, or a profile changes. */
export interface UserEvent extends Envelope {
  /** From_Account: UserID whose profile changed. Null when absent. */
  readonly fromAccount: string | null;
  /** Operator_Account: UserID of who changed the profile. Null when absent. */
  readonly operatorAccount: string | null;
  /** Info.To_Account: UserID whose state changed. Null when absent. */
  readonly toAccount: string | null;
  /** Info.Action as received: Login, Logout, Disconnect. Null when absent. */
  readonly action: string | null;
  /** Info.Reason as received: Register, Unregister, LinkClose, TimeOut. Null when absent. */
  readonly reason: string | null;
  /** KickedDevice: Platform of each device that was logged out for this one: iOS, Android, Web, Windows, iPad, Mac, Linux. Empty when none was. */
  readonly kickedDevice: readonly string[];
  /** ProfileItem: the profile fields that changed. Empty when absent. */
  readonly profileItem: readonly ProfileItem[];
}

/** A relation between users: friends, block lists, followers. */
export interface RelationEvent extends Envelope {
  /** Requester_Account: UserID of who asks for it. Null when absent. */
  readonly requesterAccount: string | null;
  /** From_Account: UserID in whose name it is asked, or who follows. Null when absent. */
  readonly fromAccount: string | null;
  /** To_Account: UserIDs that are no longer followed. Empty when absent. */
  readonly toAccount: readonly string[];
  /** Admin_Account: UserID of the administrator who added friends. Null when absent. */
  readonly adminAccount: string | null;
  /** ClientCmd as received: what added the friends: friend_add, FriendAdd, friend_response, FriendResponse. Null when absent. */
  readonly clientCmd: string | null;
  /** ForceFlag: 1 when the administrator added them without asking. Null when absent. */
  readonly forceFlag: number | null;
  /** AddType as received: Add_Type_Single, Add_Type_Both. Null when absent. */
  readonly addType: string | null;
  /** ForceAddFlags: 1 when friends are to be added without asking, else 0. Null when absent. */
  readonly forceAddFlags: number | null;
  /** FriendItem: who is asked to be a friend. Empty when absent. */
  readonly friendItem: readonly FriendRequest[];
  /** ResponseFriendItem: answers to friend requests. Empty when absent. */
  readonly responseFriendItem: readonly FriendResponse[];
  /** PairList: whose relations changed. Empty when absent. */
  readonly pairList: readonly AccountPair[];
  /** FollowList: To_Account of each user who is followed now. Empty when absent. */
  readonly followList: readonly string[];
}

/** The life of a group, a topic or an official account: it is made, changed and ended, people come and go. */
export interface GroupEvent extends Envelope {
  /** GroupId: the group. Null when absent. */
  readonly groupId: string | null;
  /** TopicId: the topic of a community. Null when absent. */
  readonly topicId: string | null;
  /** TopicIdList: topics that were ended. Empty when absent. */
  readonly topicIdList: readonly string[];
  /** Official_Account: the official account. Null when absent. */
  readonly officialAccount: string | null;
  /** Type: kind of the group as received: Public, Private, ChatRoom, AVChatRoom, Community, or a word that Tencent adds. Null when absent. */
  readonly type: string | null;
  /** Name of the group, topic or official account. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly name: string | null;
  /** Introduction: what it is about. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly introduction: string | null;
  /** Notification: notice to the members. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly notification: string | null;
  /** FaceUrl: address of its picture. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly faceUrl: string | null;
  /** Organization that an official account belongs to. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly organization: string | null;
  /** Operator_Account: UserID of who did it. Null when absent. */
  readonly operatorAccount: string | null;
  /** Owner_Account: UserID of the owner. Null when absent. */
  readonly ownerAccount: string | null;
  /** OldOwner_Account: UserID of who owned it until now. Null when absent. */
  readonly oldOwnerAccount: string | null;
  /** NewOwner_Account: UserID of who owns it now. Null when absent. */
  readonly newOwnerAccount: string | null;
  /** Requestor_Account: UserID of who asks to join. Null when absent. */
  readonly requestorAccount: string | null;
  /** Modified_Account: UserID of the member whose fields changed. Null when absent. */
  readonly modifiedAccount: string | null;
  /** Role of that member as received: Admin, Member. Null when absent. */
  readonly role: string | null;
  /** NameCard: name of that member in the group. Null when absent and when IMWATCH_TEXT=none; a digest when IMWATCH_TEXT=hmac. */
  readonly nameCard: string | null;
  /** JoinType as received: Apply, Invited. Null when absent. */
  readonly joinType: string | null;
  /** ExitType as received: Kicked, Quit. Null when absent. */
  readonly exitType: string | null;
  /** EventType: new state of the members as received: Online, Offline. Null when absent. */
  readonly eventType: string | null;
  /** OptionType: what was done to the attributes of the group, as received. Null when absent. */
  readonly optionType: string | null;
  /** InviteOption: who may be invited, as received. Null when absent. */
  readonly inviteOption: string | null;
  /** CreateGroupNum: groups that the user has made. Null when absent. */
  readonly createGroupNum: number | null;
  /** CreatedGroupNum: groups that the user has made, by kind. Empty when absent. */
  readonly createdGroupNum: Readonly<Record<string, number>>;
  /** MemberList: UserIDs of the members (Member_Account). Empty when absent. */
  readonly memberList: readonly string[];
  /** NewMemberList: UserIDs of who has joined (Member_Account). Empty when absent. */
  readonly newMemberList: readonly string[];
  /** ExitMemberList: UserIDs of who has left (Member_Account). Empty when absent. */
  readonly exitMemberList: readonly string[];
  /** DestinationMembers: UserIDs of who is to be invited (Member_Account). Empty when absent. */
  readonly destinationMembers: readonly string[];
  /** SubscribeAccountList: UserIDs of the subscribers (Subscriber_Account). Empty when absent. */
  readonly subscribeAccountList: readonly string[];
  /** UserDefinedDataList: properties that the app defined. Empty when absent. */
  readonly userDefinedDataList: readonly GroupProperty[];
  /** GroupAttr: attributes of the group that changed. Empty when absent. */
  readonly groupAttr: readonly GroupProperty[];
}

/** What became of a push notification: sent, arrived or clicked. Tencent sends them in batches; each is an event. */
export interface PushEvent extends Envelope {
  /** EventType: of Push.OfflinePush 1 for one-to-one and 2 for groups, of Push.AllMemberPush 1 for offline push. Null when absent. */
  readonly eventType: number | null;
  /** From_Account: UserID of the sender of the message. Null when absent. */
  readonly fromAccount: string | null;
  /** To_Account: UserID of who got the notification. Null when absent. */
  readonly toAccount: string | null;
  /** PushPlatform: 0 unknown, 1 APNS, 2 Xiaomi, 3 Huawei, 4 FCM, 5 Meizu, 6 OPPO, 7 vivo, 8 Honor. Null when absent. */
  readonly pushPlatform: number | null;
  /** PushStage: 1 sent, 2 arrived, 3 clicked. Null when absent. */
  readonly pushStage: number | null;
  /** MsgKey: identifies the one-to-one message that was notified. Null when absent. */
  readonly msgKey: string | null;
  /** GroupID: group of the message that was notified. Null when absent. */
  readonly groupId: string | null;
  /** MsgSeq: number of the message that was notified. Null when absent. */
  readonly msgSeq: number | null;
  /** MsgRandom: random number of the message that was notified. Null when absent. */
  readonly msgRandom: number | null;
  /** MsgTime: when the message was sent, which Tencent sends in seconds, in milliseconds since 1970 UTC. Null when absent. */
  readonly msgTime: number | null;
  /** PushID: id of the notification (newer bodies). Null when absent. */
  readonly pushId: string | null;
  /** ErrCode: 0 when this stage was reached, else why not. Null when absent. */
  readonly errCode: number | null;
  /** ErrInfo: the result in words. Null when absent. */
  readonly errInfo: string | null;
  /** TaskId: the push to all users that it belongs to. Null when absent. */
  readonly taskId: string | null;
  /** TaskTime: when that push was begun, which Tencent sends in seconds, in milliseconds since 1970 UTC. Null when absent. */
  readonly taskTime: number | null;
}

/** Tencent's alarms for those who run an app: REST calls over their limit, groups near their quota. */
export interface OperationEvent extends Envelope {
  /** ServiceName: REST service that is called too often. Null when absent. */
  readonly serviceName: string | null;
  /** Command: REST call that is made too often. Null when absent. */
  readonly restCommand: string | null;
  /** Request: calls a second at that time. Null when absent. */
  readonly request: number | null;
  /** Limit: calls a second that are allowed. Null when absent. */
  readonly limit: number | null;
  /** QuotaUsed: groups that were added today. Null when absent. */
  readonly quotaUsed: number | null;
  /** Quota: groups that may be added in a day. Null when absent. */
  readonly quota: number | null;
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

/** The count of one row of a window, as far as analytics has counted. Private to analytics; the rollup is what others read. */
export interface WindowRow {
  /** SDKAppID of the Tencent IM app. */
  readonly sdkAppId: number;
  /** Begin of the window, in milliseconds since 1970 UTC. */
  readonly windowStart: number;
  /** Scene of the verdicts. Null where they have none. */
  readonly scene: string | null;
  /** Label of the verdicts. Null where they have none. */
  readonly label: string | null;
  /** What the engine advised. Null where they have none. */
  readonly suggestion: string | null;
  /** What the platform did. */
  readonly result: string;
  /** Verdicts that were counted. */
  readonly verdicts: number;
  /** Verdicts that the last rollup of the row had; 0 before the first. */
  readonly given: number;
  /** Whether the window has been given out as complete. */
  readonly isComplete: boolean;
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

/** What counts against one user now: what the user's ledger entries add up to. Private to penalties; no record when nothing counts. */
export interface Standing {
  /** Strikes that may still count, oldest first. */
  readonly strikes: readonly StandingStrike[];
  /** When the last mute ends, in milliseconds since 1970 UTC. Null when there was none. */
  readonly mutedUntil: number | null;
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

/** Events that a consumer has taken in one transaction, by which it knows a repeat. Private to each consumer; the key is a number that ascends, and a record without a value says that these are too old to be asked for. */
export interface SeenEvents {
  /** the first 13 bytes of each eventId, one after the other. */
  readonly ids: Buffer;
  /** The latest receivedAt of the partition when each was taken, in milliseconds: the first since 1970 UTC, each other since the one before. */
  readonly stepsMs: readonly number[];
}

export interface RecordOf {
  ContentVerdict: ContentVerdict;
  MessageEvent: MessageEvent;
  UserEvent: UserEvent;
  RelationEvent: RelationEvent;
  GroupEvent: GroupEvent;
  PushEvent: PushEvent;
  OperationEvent: OperationEvent;
  UnknownCallback: UnknownCallback;
  DeadLetter: DeadLetter;
  Rollup: Rollup;
  WindowRow: WindowRow;
  LedgerEntry: LedgerEntry;
  Standing: Standing;
  Alert: Alert;
  SeenEvents: SeenEvents;
}

export type RecordName = keyof RecordOf;

export const recordNames = [
  'ContentVerdict',
  'MessageEvent',
  'UserEvent',
  'RelationEvent',
  'GroupEvent',
  'PushEvent',
  'OperationEvent',
  'UnknownCallback',
  'DeadLetter',
  'Rollup',
  'WindowRow',
  'LedgerEntry',
  'Standing',
  'Alert',
  'SeenEvents',
] as const satisfies readonly RecordName[];
