import { describe, expect, it } from 'vitest';
import { eventOf, sdkAppId, smallestVerdict, someRules, vector, verdictCommand } from '../../support/callbacks.ts';

function verdict(body: object | string) {
  return eventOf('ContentVerdict', { command: verdictCommand, body }).value;
}

function invalid(body: object) {
  const { reason, fieldPath, detail } = eventOf('DeadLetter', { command: verdictCommand, body }).value;
  return { reason, fieldPath, detail };
}

const seedFields = {
  scene: 'C2C',
  fromAccount: 'jared',
  contactType: 'C2C',
  toAccount: 'Jonh',
  toGroupId: null,
  contentType: 'Text',
  textContent: ['aaabbbccc', '1234567'],
  fileUrl: null,
  msgId: '1434460578_4137340972_1661154487',
  result: 'BLOCKED',
  moderationRequestId: '241ed925-4c56-4357-95dd-1e6e7798f214',
  occurredAt: 1661154487000,
  extras: null,
};
const absent = {
  suggestion: null,
  suggestionRaw: null,
  label: null,
  subLabel: null,
  subLabelDescription: null,
  libraryName: null,
  keywords: [],
  cloudCustomData: null,
  isRestApi: null,
};

describe('ContentVerdict', () => {
  it.each(['console-guide', 'result-page'])('holds every value of the sample of the %s', (page) => {
    expect(verdict(vector(`${verdictCommand}.${page}`))).toMatchObject({ ...seedFields, ...absent });
  });

  it('holds every value of the fullest sample', () => {
    expect(verdict(vector(verdictCommand))).toMatchObject({
      ...seedFields,
      suggestion: 'REVIEW',
      suggestionRaw: 'Review',
      label: 'Sexy',
      subLabel: 'InsinuationPorn',
      subLabelDescription: '影射XX',
      libraryName: 'test',
      keywords: ['aaabbbccc', '1234567'],
      cloudCustomData: 'aaabbbccc',
      isRestApi: null,
    });
  });

  it('has null and empty lists for all that is absent', () => {
    expect(verdict(smallestVerdict)).toMatchObject({
      ...absent,
      scene: null,
      fromAccount: null,
      contactType: null,
      toAccount: null,
      toGroupId: null,
      contentType: null,
      textContent: [],
      fileUrl: null,
      msgId: null,
      result: 'PASSED',
      moderationRequestId: null,
      occurredAt: null,
      extras: null,
    });
  });

  it('names the group of a group message', () => {
    const body = { ...smallestVerdict, ContactItem: { ContactType: 2, ToGroupId: '@TGS#1' } };
    expect(verdict(body)).toMatchObject({ contactType: 'GROUP', toGroupId: '@TGS#1', toAccount: null });
  });

  it.each([
    ['Block', 'BLOCK'],
    ['Review', 'REVIEW'],
    ['Pass', 'PASS'],
    ['Normal', 'PASS'],
    ['Shrug', 'UNKNOWN'],
  ])('suggestion %s is %s, and its word is kept', (word, suggestion) => {
    expect(verdict({ ...smallestVerdict, CtxcbSuggestion: word })).toMatchObject({
      suggestion,
      suggestionRaw: word,
      extras: null,
    });
  });

  it('takes TextContent as one text too, and leaves that shape in extras', () => {
    expect(verdict({ ...smallestVerdict, TextContent: 'hi' })).toMatchObject({
      textContent: ['hi'],
      extras: '{"TextContent":"hi"}',
    });
  });

  it.each([
    [true, true, null],
    [false, false, null],
    [1, true, '{"IsRestAPI":1}'],
    [0, false, '{"IsRestAPI":0}'],
    ['true', true, '{"IsRestAPI":"true"}'],
    ['0', false, '{"IsRestAPI":"0"}'],
  ])('IsRestAPI %j is %j', (given, isRestApi, extras) => {
    expect(verdict({ ...smallestVerdict, IsRestAPI: given })).toMatchObject({ isRestApi, extras });
  });

  it.each([
    ['an unknown field', { New: { a: [1] } }, '{"New":{"a":[1]}}'],
    ['an unknown field inside ContactItem', { ContactItem: { ContactType: 1, New: 2 } }, '{"ContactItem":{"New":2}}'],
    ['a number beyond 2^53', '{"CtxcbResult":0,"Score":12345678901234567890}', '{"Score":12345678901234567890}'],
    ['an explicit null', { Scene: null }, '{"Scene":null}'],
    ['an empty list', { TextContent: [] }, '{"TextContent":[]}'],
    ['an empty object', { ContactItem: {} }, '{"ContactItem":{}}'],
    ['a name that looks like ours', { '?': 1, '?x': 2 }, '{"??":1,"??x":2}'],
    ['__proto__', '{"CtxcbResult":0,"__proto__":{"a":1}}', '{"__proto__":{"a":1}}'],
  ])('leaves %s in extras', (_what, more, extras) => {
    expect(verdict(typeof more === 'string' ? more : { ...smallestVerdict, ...more }).extras).toBe(extras);
  });

  it.each([
    ['CtxcbResult absent', {}, '/CtxcbResult', '/CtxcbResult is absent, expected 0 (let through) or 1 (intercepted)'],
    [
      'CtxcbResult 2',
      { CtxcbResult: 2 },
      '/CtxcbResult',
      '/CtxcbResult is a number, expected 0 (let through) or 1 (intercepted); it is 2',
    ],
    [
      'CtxcbResult as a text',
      { CtxcbResult: '1' },
      '/CtxcbResult',
      '/CtxcbResult is a string, expected 0 (let through) or 1 (intercepted); it is "1"',
    ],
    [
      'ContactType 3',
      { CtxcbResult: 0, ContactItem: { ContactType: 3 } },
      '/ContactItem/ContactType',
      '/ContactItem/ContactType is a number, expected 1 (C2C) or 2 (group); it is 3',
    ],
    [
      'ContactItem as a list',
      { CtxcbResult: 0, ContactItem: [] },
      '/ContactItem',
      '/ContactItem is an array, expected an object; it is []',
    ],
    [
      'a number as an account',
      { CtxcbResult: 0, From_Account: 5 },
      '/From_Account',
      '/From_Account is a number, expected a string; it is 5',
    ],
    [
      'a number among the texts',
      { CtxcbResult: 0, TextContent: ['a', 7] },
      '/TextContent/1',
      '/TextContent/1 is a number, expected a string; it is 7',
    ],
    [
      'keywords as a text',
      { CtxcbResult: 0, CtxcbKeywords: 'a' },
      '/CtxcbKeywords',
      '/CtxcbKeywords is a string, expected an array of strings; it is "a"',
    ],
    [
      'IsRestAPI as a word',
      { CtxcbResult: 0, IsRestAPI: 'maybe' },
      '/IsRestAPI',
      '/IsRestAPI is a string, expected true or false; it is "maybe"',
    ],
    [
      'EventTime as a word',
      { CtxcbResult: 0, EventTime: 'now' },
      '/EventTime',
      '/EventTime is a string, expected epoch milliseconds; it is "now"',
    ],
  ])('is refused for %s, with path and expectation', (_what, body, fieldPath, detail) => {
    expect(invalid({ Scene: 'C2C', ...body })).toEqual({ reason: 'FIELD_INVALID', fieldPath, detail });
  });

  it('goes to the topic of verdicts, keyed by its sender', () => {
    const at = (body: object) => eventOf('ContentVerdict', { command: verdictCommand, body });
    expect(at({ ...smallestVerdict, From_Account: 'jared' })).toMatchObject({
      topic: 'verdict',
      key: `${sdkAppId}/jared`,
    });
    expect(at(smallestVerdict).key).toBe(`${sdkAppId}/`);
    expect(at({ ...smallestVerdict, From_Account: '' }).key).toBe(`${sdkAppId}/`);
  });

  it('has the dead letter keyed as the event would have been', () => {
    const body = { From_Account: 'jared', CtxcbResult: 9 };
    const letter = eventOf('DeadLetter', { command: verdictCommand, body }, someRules());
    expect(letter).toMatchObject({ topic: 'dead-letter', key: `${sdkAppId}/jared` });
    expect(letter.value.key?.toString()).toBe(`${sdkAppId}/jared`);
  });
});
