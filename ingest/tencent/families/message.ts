import type { MessageElement } from '../../../schemas/generated/events.ts';
import type { BodyReader } from '../body-reader.ts';
import { family } from '../family.ts';
import {
  type Field,
  integer,
  integerOfEach,
  list,
  prose,
  proseOrJson,
  readEach,
  seconds,
  text,
  textOfEach,
  texts,
} from '../fields.ts';
import { isObject, type JsonObject, parseJson } from '../json.ts';
import type { TextPolicy } from '../text-policy.ts';

/** The elements of a message: plain text as it is, every other content as JSON text. */
const messageBody: Field<readonly MessageElement[]> = {
  source: 'MsgBody',
  read: (reader, policy) => readEach(reader, 'MsgBody', (item) => readElement(item, policy)),
  restore: (elements) => (elements.length === 0 ? undefined : elements.map(restoreElement)),
};

function readElement(item: BodyReader, policy: TextPolicy): MessageElement {
  const msgType = item.text('MsgType');
  const content = item.peek('MsgContent');
  if (content === undefined || content === null) return { msgType, text: null, msgContent: null };
  if (!isObject(content)) throw item.invalid('MsgContent', 'an object');
  item.take('MsgContent');
  const words = msgType === 'TIMTextElem' && typeof content['Text'] === 'string' ? content['Text'] : null;
  const isOnlyText = words !== null && Object.keys(content).length === 1;
  return { msgType, text: policy.text(words), msgContent: isOnlyText ? null : policy.json(content) };
}

function restoreElement({ msgType, text: words, msgContent }: MessageElement): JsonObject {
  return {
    ...(msgType === null ? {} : { MsgType: msgType }),
    ...(msgContent === null ? {} : { MsgContent: parseJson(msgContent) }),
    ...(msgContent === null && words !== null ? { MsgContent: { Text: words } } : {}),
  };
}

/**
 * Messages: one-to-one, group, topic, bot and official account.
 *
 * @see https://trtc.io/document/34355
 */
export const messages = family(
  'MessageEvent',
  'message',
  ['GroupId', 'Official_Account', 'Report_Account', 'From_Account'],
  {
    fromAccount: text('From_Account'),
    toAccount: text('To_Account'),
    operatorAccount: text('Operator_Account'),
    groupId: text('GroupId'),
    topicId: text('TopicId'),
    type: text('Type'),
    officialAccount: text('Official_Account'),
    reportAccount: text('Report_Account'),
    peerAccount: text('Peer_Account'),
    msgSeq: integer('MsgSeq'),
    msgRandom: integer('MsgRandom'),
    random: integer('Random'),
    msgTime: seconds('MsgTime'),
    lastReadTime: seconds('LastReadTime'),
    msgKey: text('MsgKey'),
    msgId: text('MsgId'),
    msgPriority: text('MsgPriority'),
    onlineOnlyFlag: integer('OnlineOnlyFlag'),
    sendMsgResult: integer('SendMsgResult'),
    errorCode: integer('ErrorCode'),
    errorInfo: text('ErrorInfo'),
    unreadMsgNum: integer('UnreadMsgNum'),
    msgBody: messageBody,
    cloudCustomData: prose('CloudCustomData'),
    groupAtInfo: list('GroupAtInfo', {
      groupAtAllFlag: integer('GroupAtAllFlag'),
      groupAtAccount: text('GroupAt_Account'),
    }),
    atRobotsAccount: texts('AtRobots_Account'),
    msgSeqList: integerOfEach('MsgSeqList', 'MsgSeq'),
    withdrawMsgList: textOfEach('WithdrawMsgList', 'MsgKey'),
    operateType: integer('OperateType'),
    extensionList: list('ExtensionList', { key: text('Key'), value: proseOrJson('Value'), seq: integer('Seq') }),
    seq: integer('Seq'),
    groupMsgReceiptList: list('GroupMsgReceiptList', {
      msgSeq: integer('MsgSeq'),
      readNum: integer('ReadNum'),
      unreadNum: integer('UnreadNum'),
      readReceiptMembers: textOfEach('ReadReceiptMembers', 'Member_Account'),
    }),
    data: prose('Data'),
  },
);
