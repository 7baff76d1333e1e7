import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../dev/traffic/random.ts';
import { commandOf } from '../../../ingest/tencent/commands.ts';
import { isUrlCheck, type JsonObject, type JsonValue, parseBody } from '../../../ingest/tencent/json.ts';
import type { TranslatedEvent } from '../../../ingest/tencent/request.ts';
import { restoreBody } from '../../../ingest/tencent/restore.ts';
import { decodeAs, RecordEncoder } from '../../../schemas/codec.ts';
import type { Envelope } from '../../../schemas/generated/events.ts';
import { avroType, recordSchemas } from '../../../schemas/records.ts';
import { eventsOf, someRules, verdictCommand } from '../../support/callbacks.ts';
import { mutate, pick } from '../../support/mutations.ts';
import { lostValues } from '../../support/restore.ts';
import { samples } from '../../support/samples.ts';

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

function parse(bytes: Buffer): JsonObject {
  const parsed = parseBody(bytes, true);
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.body;
}

/** The event as whoever reads its topic has it. */
function fromTopic(event: TranslatedEvent): Envelope {
  const bytes = new RecordEncoder(event.record, 1).encode(event.value as never);
  return decodeAs(avroType(recordSchemas[event.record]), bytes) as Envelope;
}

/** Pointers of values that neither the events nor, for a dead letter, its bytes give back. */
function lostBy(command: string, bytes: Buffer): readonly string[] {
  const events = eventsOf({ command, body: bytes }, someRules());
  if (events.some((event) => event.record === 'DeadLetter' && event.value.body?.equals(bytes))) return [];
  const body = parse(bytes);
  const { batch } = commandOf(command);
  const lost = events.flatMap((event, index) => {
    const item = batch === undefined ? body : (body[batch] as readonly JsonValue[])[index];
    if (event.record !== 'DeadLetter') return lostValues(item as JsonObject, restoreBody(fromTopic(event)));
    expect(event.value.reason).not.toBe('UNEXPECTED');
    return event.value.body?.toString() === JSON.stringify(item) ? [] : ['/'];
  });
  return batch === undefined ? lost : [...lost, ...lostAround(batch, body, events)];
}

/** Names beside a batch's items that no event carries. */
function lostAround(batch: string, body: JsonObject, events: readonly TranslatedEvent[]): readonly string[] {
  const carried = events.flatMap(({ value }) =>
    'extras' in value && value.extras !== null ? [parse(Buffer.from(value.extras))['?batch']] : [],
  );
  const around = Object.assign(
    Object.create(null),
    { CallbackCommand: events[0]?.value.command, SdkAppId: events[0]?.value.sdkAppId },
    ...carried,
  );
  const { [batch]: _items, ...beside } = body;
  return events.length === 0 ? [] : lostValues(beside, around);
}

describe('nothing of a body is lost', () => {
  it('for any verdict', () => {
    fc.assert(
      fc.property(bodyText, (text) => {
        expect(lostBy(verdictCommand, Buffer.from(text))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('for any body of an unknown command', () => {
    fc.assert(
      fc.property(bodyText, (text) => {
        expect(lostBy('Group.CallbackOfTomorrow', Buffer.from(text))).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(samples)('for the sample $name', ({ command, body }) => {
    expect(lostBy(command, Buffer.from(body))).toEqual([]);
  });

  it.each(['9007199254740990', '9007199254740991', '9007199254740992', '-9007199254740991', '-0', '1E2'])(
    'for the number %s in any place for one',
    (number) => {
      for (const { command, body } of samples) {
        const numbers = body.matchAll(/(?<="[^"]+": )\d+(?=[,\s\]}])/g);
        for (const { index, 0: old } of numbers) {
          const text = body.slice(0, index) + number + body.slice(index + old.length);
          expect(lostBy(command, Buffer.from(text)), text).toEqual([]);
        }
      }
    },
  );

  it('for counts under the name __proto__', () => {
    const body = '{"CreatedGroupNum":{"Public":1,"__proto__":2}}';
    expect(lostBy('Group.CallbackBeforeCreateGroup', Buffer.from(body))).toEqual([]);
  });

  it('for samples with random changes', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seededRandom(seed);
        const sample = pick(samples, random);
        const bytes = mutate(sample, random);
        if (!isUrlCheck(bytes)) expect(lostBy(sample.command, bytes), bytes.toString()).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is a law that can fail: an event without its extras loses values', () => {
    const text = '{"CtxcbResult":0,"New":1}';
    const [event] = eventsOf({ command: verdictCommand, body: text }, someRules());
    if (event?.record !== 'ContentVerdict') throw new Error('expected a verdict');
    expect(lostValues(parse(Buffer.from(text)), restoreBody({ ...event.value, extras: null }))).toEqual(['/New']);
  });
});
