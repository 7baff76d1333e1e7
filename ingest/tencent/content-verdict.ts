import type { ContentVerdict, Envelope } from '../../schemas/generated/events.ts';
import type { BodyReader } from './body-reader.ts';
import type { TextPolicy } from './text-policy.ts';

const results = new Map<number, ContentVerdict['result']>([
  [0, 'PASSED'],
  [1, 'BLOCKED'],
]);

const contactTypes = new Map<number, NonNullable<ContentVerdict['contactType']>>([
  [1, 'C2C'],
  [2, 'GROUP'],
]);

/** Documents of different age say Pass and Normal for the same. */
const suggestions = new Map<string, NonNullable<ContentVerdict['suggestion']>>([
  ['Block', 'BLOCK'],
  ['Review', 'REVIEW'],
  ['Pass', 'PASS'],
  ['Normal', 'PASS'],
]);

/**
 * The fields of a moderation verdict: the union of what all versions of the documentation name.
 *
 * @see https://cloud.tencent.com/document/product/269/95616
 */
export function verdictFields(reader: BodyReader, texts: TextPolicy): Omit<ContentVerdict, keyof Envelope> {
  const contact = reader.object('ContactItem');
  const suggestionRaw = reader.text('CtxcbSuggestion');
  return {
    scene: reader.text('Scene'),
    fromAccount: reader.text('From_Account'),
    contactType: contact?.codedIfPresent('ContactType', contactTypes, '1 (C2C) or 2 (group)') ?? null,
    toAccount: contact?.text('To_Account') ?? null,
    toGroupId: contact?.text('ToGroupId') ?? null,
    contentType: reader.text('ContentType'),
    textContent: texts.texts(reader.textsOrText('TextContent')),
    fileUrl: texts.text(reader.text('FileURL')),
    msgId: reader.text('MsgID'),
    result: reader.coded('CtxcbResult', results, '0 (let through) or 1 (intercepted)'),
    suggestion: suggestionRaw === null ? null : (suggestions.get(suggestionRaw) ?? 'UNKNOWN'),
    suggestionRaw,
    label: reader.text('CtxcbLabel'),
    subLabel: reader.text('CtxcbSubLabel'),
    subLabelDescription: reader.text('CtxcbSubLabelDesc'),
    libraryName: reader.text('CtxcbLibName'),
    keywords: texts.texts(reader.texts('CtxcbKeywords')),
    moderationRequestId: reader.text('CtxcbRequestId'),
    cloudCustomData: texts.text(reader.text('CloudCustomData')),
    isRestApi: reader.lenientBoolean('IsRestAPI'),
  };
}
