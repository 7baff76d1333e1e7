import { type Family, family } from '../family.ts';
import { textIfAny } from '../fields.ts';

/** Callbacks that are kept whole: of other products, and of commands that nobody has documented yet. */
export const others: Family<'UnknownCallback'> = {
  ...family('UnknownCallback', 'callback', ['From_Account', 'GroupId'], {
    fromAccount: textIfAny('From_Account'),
    groupId: textIfAny('GroupId'),
  }),
  interpreted: false,
};
