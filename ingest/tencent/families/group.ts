import { family } from '../family.ts';
import { counts, integer, list, prose, proseOrJson, text, textOfEach, texts } from '../fields.ts';

/**
 * Groups, topics and official accounts: made, changed and ended, who comes and goes.
 *
 * @see https://trtc.io/document/34355
 */
export const groups = family('GroupEvent', 'group', ['GroupId', 'Official_Account', 'Operator_Account'], {
  groupId: text('GroupId'),
  topicId: text('TopicId'),
  topicIdList: texts('TopicIdList'),
  officialAccount: text('Official_Account'),
  type: text('Type'),
  name: prose('Name'),
  introduction: prose('Introduction'),
  notification: prose('Notification'),
  faceUrl: prose('FaceUrl'),
  organization: prose('Organization'),
  operatorAccount: text('Operator_Account'),
  ownerAccount: text('Owner_Account'),
  oldOwnerAccount: text('OldOwner_Account'),
  newOwnerAccount: text('NewOwner_Account'),
  requestorAccount: text('Requestor_Account'),
  modifiedAccount: text('Modified_Account'),
  role: text('Role'),
  nameCard: prose('NameCard'),
  joinType: text('JoinType'),
  exitType: text('ExitType'),
  eventType: text('EventType'),
  optionType: text('OptionType'),
  inviteOption: text('InviteOption'),
  createGroupNum: integer('CreateGroupNum'),
  createdGroupNum: counts('CreatedGroupNum'),
  memberList: textOfEach('MemberList', 'Member_Account'),
  newMemberList: textOfEach('NewMemberList', 'Member_Account'),
  exitMemberList: textOfEach('ExitMemberList', 'Member_Account'),
  destinationMembers: textOfEach('DestinationMembers', 'Member_Account'),
  subscribeAccountList: textOfEach('SubscribeAccountList', 'Subscriber_Account'),
  userDefinedDataList: list('UserDefinedDataList', { key: text('Key'), value: proseOrJson('Value') }),
  groupAttr: list('GroupAttr', { key: text('key'), value: proseOrJson('value') }),
});
