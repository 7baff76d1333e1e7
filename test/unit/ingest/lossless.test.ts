import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonObject, parseBody } from '../../../ingest/tencent/json.ts';
import { eventsOf, someRules, vector, verdictCommand } from '../../support/callbacks.ts';
import { lostValues, restoreBody } from '../../support/restore.ts';

/** Texts with what makes trouble: surrogates, quotes, control characters, names of JavaScript's own. */
const trickyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\ud800',
    '__proto__',
    'constructor',
    '?',
    '??x',
    '?batch',
    '~/',
    '',
    '1434460578_4137340972_1661154487',
  ),
);

/** JSON text of a value, numbers beyond what JavaScript holds included. */
const jsonText = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.bigInt().map(String),
  fc.constantFrom('1e400', '0.1000000000000000055511151231257827', '-0.5', '1E2', '"\\ud83d"', 'null', '[]', '{}'),
  trickyText.map((value) => JSON.stringify(value)),
);

const documentedNames = [
  'Scene',
  'From_Account',
  'ContentType',
  'TextContent',
  'FileURL',
  'MsgID',
  'CtxcbRequestId',
  'CtxcbKeywords',
  'CtxcbSuggestion',
  'CtxcbLabel',
  'CtxcbSubLabel',
  'CtxcbSubLabelDesc',
  'CtxcbLibName',
  'CloudCustomData',
  'IsRestAPI',
  'EventTime',
  'GroupId',
];

/** A field with a value that its kind may have. */
const documentedField = fc.oneof(
  fc.tuple(fc.constantFrom(...documentedNames, 'ContactItem', 'SdkAppId', 'CallbackCommand'), jsonText),
  fc.tuple(
    fc.constantFrom(...documentedNames),
    trickyText.map((value) => JSON.stringify(value)),
  ),
  fc.tuple(
    fc.constantFrom('TextContent', 'CtxcbKeywords'),
    fc.array(trickyText).map((value) => JSON.stringify(value)),
  ),
  fc.tuple(fc.constant('IsRestAPI'), fc.constantFrom('true', 'false', '0', '1', '"1"', 'null')),
  fc.tuple(fc.constant('EventTime'), fc.constantFrom('1629883332497', '1629883332', '"1670574414123"')),
  fc.tuple(
    fc.constant('ContactItem'),
    fc
      .array(
        fc.oneof(
          fc.tuple(fc.constant('ContactType'), fc.constantFrom('1', '2')),
          fc.tuple(
            fc.constantFrom('To_Account', 'ToGroupId'),
            trickyText.map((value) => JSON.stringify(value)),
          ),
          fc.tuple(trickyText, jsonText),
        ),
      )
      .map(objectText),
  ),
);

const unknownField = fc.tuple(trickyText, jsonText);

const bodyText = fc
  .tuple(fc.constantFrom('0', '1'), fc.array(fc.oneof(documentedField, unknownField), { maxLength: 12 }))
  .map(([result, fields]) => objectText([['CtxcbResult', result], ...fields]));

function objectText(fields: readonly (readonly [string, string])[]): string {
  return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

function parse(text: string): JsonObject {
  const parsed = parseBody(Buffer.from(text), true);
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.body;
}

/** Pointers of values that neither the event nor, for a dead letter, its bytes give back. */
function lostBy(command: string, text: string): readonly string[] {
  const [event] = eventsOf({ command, body: text }, someRules());
  if (event === undefined) return ['/'];
  if (event.record === 'DeadLetter') {
    expect(event.value.reason).not.toBe('UNEXPECTED');
    return event.value.body?.equals(Buffer.from(text)) ? [] : ['/'];
  }
  return lostValues(parse(text), restoreBody(event.value));
}

describe('nothing of a body is lost', () => {
  it('for any verdict', () => {
    fc.assert(
      fc.property(bodyText, (text) => {
        expect(lostBy(verdictCommand, text)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('for any body of an unknown command', () => {
    fc.assert(
      fc.property(bodyText, (text) => {
        expect(lostBy('Group.CallbackOfTomorrow', text)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['', '.console-guide', '.result-page'])('for the sample %s', (variant) => {
    expect(lostBy(verdictCommand, vector(verdictCommand + variant))).toEqual([]);
  });

  it('is a law that can fail: an event without its extras loses values', () => {
    const text = '{"CtxcbResult":0,"New":1}';
    const [event] = eventsOf({ command: verdictCommand, body: text }, someRules());
    if (event?.record !== 'ContentVerdict') throw new Error('expected a verdict');
    expect(lostValues(parse(text), restoreBody({ ...event.value, extras: null }))).toEqual(['/New']);
  });
});
