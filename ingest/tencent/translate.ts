import type { Envelope } from '../../schemas/generated/events.ts';
import { BodyReader, FieldInvalid } from './body-reader.ts';
import { appMismatch, commandIn, itemCommand } from './claims.ts';
import { commandOf, maxBatchItems } from './commands.ts';
import { type DeadLetterReason, deadLetter, wrongField } from './dead-letter.ts';
import { aroundBatch, extrasOf, fillEnvelope, type Writable } from './envelope.ts';
import { type FieldsOf, readFields } from './fields.ts';
import { isArray, isObject, isUrlCheck, type JsonObject, type JsonValue, parseBody } from './json.ts';
import { keyOf } from './key.ts';
import { mayBeEventTime } from './occurred-at.ts';
import type { Callback, CallbackRequest, TranslatedEvent, TranslationRules } from './request.ts';

export type Translation =
  | { readonly kind: 'url-check' }
  | {
      readonly kind: 'events';
      readonly command: string | null;
      readonly events: readonly TranslatedEvent[];
      /** What the answer carries beyond OK. */
      readonly answer?: Readonly<Record<string, unknown>> | undefined;
      /** The same when the events end as a dead letter after all: nobody's message is held back for it. */
      readonly allowance?: Readonly<Record<string, unknown>> | undefined;
    };

/**
 * The events that an authentic request stands for: at least one event or dead letter, except for a URL check and an empty
 * batch.
 *
 * Pure but for `rules.random`, which is asked only for a body that has nothing to be told apart by.
 */
export function translate(request: CallbackRequest, rules: TranslationRules): Translation {
  if (isUrlCheck(request.body)) return { kind: 'url-check' };
  const parsed = parseBody(request.body, rules.texts.mode === 'full');
  const inQuery = request.query.command;
  if (!parsed.ok) {
    const failure = { reason: parsed.reason, detail: parsed.detail, fieldPath: null };
    return events(inQuery, [deadLetter(request, rules, failure, { command: inQuery ?? null })]);
  }
  const { body } = parsed;
  const claim = commandIn(inQuery, body);
  if ('reason' in claim) {
    return events(inQuery, [deadLetter(request, rules, claim, { command: inQuery ?? null, body })]);
  }

  const { command } = claim;
  const { batch, before } = commandOf(command);
  const callback: Callback = { command, body, path: '', bytes: request.body, around: undefined };
  const translated =
    batch === undefined ? [eventOf(request, rules, callback)] : batchEvents(request, rules, callback, batch);
  if (before === undefined) return events(command, translated);
  const allowance = before.answer(body, 'allow');
  const isUnreadable = translated.some(({ record }) => record === 'DeadLetter');
  const answer = isUnreadable ? allowance : before.answer(body, rules.answers.get(command) ?? 'allow');
  return { kind: 'events', command, events: translated, answer, allowance };
}

function events(command: string | undefined, translated: readonly TranslatedEvent[]): Translation {
  return { kind: 'events', command: command ?? null, events: translated };
}

function eventOf(request: CallbackRequest, rules: TranslationRules, callback: Callback): TranslatedEvent {
  const { sdkAppId } = request;
  const { body, path } = callback;
  const wrongApp = appMismatch(sdkAppId, body, path);
  if (wrongApp !== undefined) return deadLetter(request, rules, wrongApp, callback);
  const { family } = commandOf(callback.command);
  const reader = new BodyReader(body, path);
  try {
    if (family.interpreted && !mayBeEventTime(reader.peek('EventTime')))
      throw reader.invalid('EventTime', 'epoch milliseconds');
    const blank = { ...family.blank } as unknown as Writable<Envelope>;
    const value = readFields(family.fields as FieldsOf<object>, reader, rules.texts, blank);
    fillEnvelope(value, request, rules, callback, reader);
    value.extras = extrasOf(request, rules, callback, reader);
    const key = keyOf(sdkAppId, body, family.keys);
    return { record: family.record, topic: family.topic, key, value } as unknown as TranslatedEvent;
  } catch (error) {
    if (!(error instanceof FieldInvalid)) throw error;
    return deadLetter(request, rules, wrongField(error, rules), callback);
  }
}

/** An event for each item under `batch`; a bad item alone becomes a dead letter, which holds the item. */
function batchEvents(
  request: CallbackRequest,
  rules: TranslationRules,
  callback: Callback,
  batch: string,
): readonly TranslatedEvent[] {
  const { body, command } = callback;
  const wrongApp = appMismatch(request.sdkAppId, body, '');
  if (wrongApp !== undefined) return [deadLetter(request, rules, wrongApp, callback)];
  const items = body[batch];
  if (!isArray(items) || items.length > maxBatchItems) {
    const notABatch = new BodyReader(body).invalid(batch, `an array of at most ${maxBatchItems} items`);
    return [deadLetter(request, rules, wrongField(notABatch, rules), callback)];
  }
  // What stands around the items goes with the first event, once.
  let around = aroundBatch(request, body, command, batch);
  const translated = items.map((item, index) => {
    const event = itemEvent(request, rules, { command, around, path: `/${batch}/${index}` }, item);
    if (event.record !== 'DeadLetter') around = undefined;
    return event;
  });
  const [first] = translated;
  if (around === undefined || first?.record !== 'DeadLetter') return translated;
  // Every item is bad, so only the whole body holds what is around them.
  const { reason, fieldPath, detail } = first.value;
  return [deadLetter(request, rules, { reason: reason as DeadLetterReason, fieldPath, detail }, callback)];
}

function itemEvent(
  request: CallbackRequest,
  rules: TranslationRules,
  batch: { readonly command: string; readonly around: JsonObject | undefined; readonly path: string },
  item: JsonValue,
): TranslatedEvent {
  const bytes = JSON.stringify(item);
  const { path, around } = batch;
  if (!isObject(item)) {
    const notAnObject = new FieldInvalid(path, 'an object', item);
    return deadLetter(request, rules, wrongField(notAnObject, rules), { command: batch.command, path, bytes });
  }
  const claim = itemCommand(batch.command, item, path);
  if ('reason' in claim) {
    return deadLetter(request, rules, claim, { command: batch.command, body: item, path, bytes });
  }
  return eventOf(request, rules, { command: claim.command, body: item, path, bytes, around });
}
