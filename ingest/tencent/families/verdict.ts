import type { ContentVerdict } from '../../../schemas/generated/events.ts';
import { family } from '../family.ts';
import {
  coded,
  codedIfPresent,
  type Field,
  inside,
  lenientBoolean,
  prose,
  proseList,
  proseListOrProse,
  text,
} from '../fields.ts';

const results = new Map<number, ContentVerdict['result']>([
  [0, 'PASSED'],
  [1, 'BLOCKED'],
]);

const contactTypes = new Map<number, NonNullable<ContentVerdict['contactType']>>([
  [1, 'C2C'],
  [2, 'GROUP'],
]);

/** Documents of different age say Pass and Normal for the same. */
const suggestions = new Map<unknown, NonNullable<ContentVerdict['suggestion']>>([
  ['Block', 'BLOCK'],
  ['Review', 'REVIEW'],
  ['Pass', 'PASS'],
  ['Normal', 'PASS'],
]);

/** One word for what documents of different age spell differently; the spelling itself is another field. */
const suggestion: Field<ContentVerdict['suggestion']> = {
  source: 'CtxcbSuggestion',
  read: (reader) => {
    const word = reader.peek('CtxcbSuggestion') ?? null;
    return word === null ? null : (suggestions.get(word) ?? 'UNKNOWN');
  },
  restore: () => undefined,
};

/**
 * Moderation verdicts: the union of what all versions of the documentation name.
 *
 * @see https://cloud.tencent.com/document/product/269/95616
 */
export const verdicts = family('ContentVerdict', 'verdict', ['From_Account'], {
  scene: text('Scene'),
  fromAccount: text('From_Account'),
  contactType: inside('ContactItem', codedIfPresent('ContactType', contactTypes, '1 (C2C) or 2 (group)')),
  toAccount: inside('ContactItem', text('To_Account')),
  toGroupId: inside('ContactItem', text('ToGroupId')),
  contentType: text('ContentType'),
  textContent: proseListOrProse('TextContent'),
  fileUrl: prose('FileURL'),
  msgId: text('MsgID'),
  result: coded('CtxcbResult', results, '0 (let through) or 1 (intercepted)'),
  suggestion,
  suggestionRaw: text('CtxcbSuggestion'),
  label: text('CtxcbLabel'),
  subLabel: text('CtxcbSubLabel'),
  subLabelDescription: text('CtxcbSubLabelDesc'),
  libraryName: text('CtxcbLibName'),
  keywords: proseList('CtxcbKeywords'),
  moderationRequestId: text('CtxcbRequestId'),
  cloudCustomData: prose('CloudCustomData'),
  isRestApi: lenientBoolean('IsRestAPI'),
});
