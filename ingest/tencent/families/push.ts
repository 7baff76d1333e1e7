import { type Family, family } from '../family.ts';
import { integer, seconds, text } from '../fields.ts';

/**
 * What became of push notifications; their EventTime is in seconds.
 *
 * @see https://trtc.io/document/67552
 */
export const pushes: Family<'PushEvent'> = {
  ...family('PushEvent', 'push', ['To_Account', 'From_Account', 'TaskId'], {
    eventType: integer('EventType'),
    fromAccount: text('From_Account'),
    toAccount: text('To_Account'),
    pushPlatform: integer('PushPlatform'),
    pushStage: integer('PushStage'),
    msgKey: text('MsgKey'),
    groupId: text('GroupID'),
    msgSeq: integer('MsgSeq'),
    msgRandom: integer('MsgRandom'),
    msgTime: seconds('MsgTime'),
    pushId: text('PushID'),
    errCode: integer('ErrCode'),
    errInfo: text('ErrInfo'),
    taskId: text('TaskId'),
    taskTime: seconds('TaskTime'),
  }),
  eventTimeUnit: 's',
};
