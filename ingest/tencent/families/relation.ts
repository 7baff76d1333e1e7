import { family } from '../family.ts';
import { integer, list, prose, text, textOfEach, texts } from '../fields.ts';

/**
 * Friends, block lists and followers.
 *
 * @see https://trtc.io/document/34355
 */
export const relations = family(
  'RelationEvent',
  'relation',
  ['Requester_Account', 'From_Account', 'PairList/0/From_Account'],
  {
    requesterAccount: text('Requester_Account'),
    fromAccount: text('From_Account'),
    toAccount: texts('To_Account'),
    adminAccount: text('Admin_Account'),
    clientCmd: text('ClientCmd'),
    forceFlag: integer('ForceFlag'),
    addType: text('AddType'),
    forceAddFlags: integer('ForceAddFlags'),
    friendItem: list('FriendItem', {
      toAccount: text('To_Account'),
      remark: prose('Remark'),
      groupName: prose('GroupName'),
      addSource: text('AddSource'),
      addWording: prose('AddWording'),
    }),
    responseFriendItem: list('ResponseFriendItem', {
      toAccount: text('To_Account'),
      remark: prose('Remark'),
      tagName: prose('TagName'),
      responseAction: text('ResponseAction'),
    }),
    pairList: list('PairList', {
      fromAccount: text('From_Account'),
      toAccount: text('To_Account'),
      initiatorAccount: text('Initiator_Account'),
    }),
    followList: textOfEach('FollowList', 'To_Account'),
  },
);
