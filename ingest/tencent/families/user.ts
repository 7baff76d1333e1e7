import { family } from '../family.ts';
import { inside, list, proseOrJson, text, textOfEach } from '../fields.ts';

/**
 * States and profiles of users.
 *
 * @see https://trtc.io/document/34355
 */
export const users = family('UserEvent', 'user', ['Info/To_Account', 'From_Account'], {
  fromAccount: text('From_Account'),
  operatorAccount: text('Operator_Account'),
  toAccount: inside('Info', text('To_Account')),
  action: inside('Info', text('Action')),
  reason: inside('Info', text('Reason')),
  kickedDevice: textOfEach('KickedDevice', 'Platform'),
  profileItem: list('ProfileItem', { tag: text('Tag'), value: proseOrJson('Value') }),
});
