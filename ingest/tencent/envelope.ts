import type { Envelope } from '../../schemas/generated/events.ts';
import { BodyReader } from './body-reader.ts';
import { commandOf } from './commands.ts';
import { callbackId } from './event-id.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { readOccurredAt } from './occurred-at.ts';
import type { CallbackQuery } from './query.ts';
import type { Callback, CallbackRequest, TranslationRules } from './request.ts';

/** Fills the envelope of `event` but its extras, which are read when every field has been. */
export function fillEnvelope(
  event: Writable<Envelope>,
  request: CallbackRequest,
  rules: TranslationRules,
  callback: Callback,
  reader: BodyReader,
): void {
  const { query, sdkAppId, receivedAtMs } = request;
  const { command } = callback;
  const requestTimeSec = secondsIn(query.requestTime);
  takeNames(reader, request, command);
  event.eventId = callbackId(request, rules, callback);
  event.sdkAppId = sdkAppId;
  event.command = command;
  event.receivedAt = receivedAtMs;
  event.occurredAt = readOccurredAt(reader, commandOf(command).family.eventTimeUnit);
  event.clientIp = query.clientIp ?? null;
  event.optPlatform = query.optPlatform ?? null;
  event.requestId = query.requestId ?? null;
  event.requestTime = requestTimeSec === null ? null : requestTimeSec * 1000;
}

/** A record that is being filled. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The extras of a callback's event: what no field has taken from `reader` by now, and what the query and a batch hold more. */
export function extrasOf(
  { query }: CallbackRequest,
  { texts }: TranslationRules,
  { around }: Callback,
  reader: BodyReader,
): string | null {
  return texts.extras(joined(reader.leftover(), queryLeftover(query), around));
}

/** What a batch's body holds beside its items under `batch`; the event of each item carries it. */
export function aroundBatch(
  request: CallbackRequest,
  body: JsonObject,
  command: string,
  batch: string,
): JsonObject | undefined {
  const reader = new BodyReader(body);
  reader.take(batch);
  takeNames(reader, request, command);
  return reader.leftover();
}

/** Takes what the envelope's command and app hold exactly. */
function takeNames(reader: BodyReader, request: CallbackRequest, command: string): void {
  if (reader.peek('CallbackCommand') === command) reader.take('CallbackCommand');
  if (reader.peek('SdkAppId') === request.sdkAppId) reader.take('SdkAppId');
}

/** Seconds that are spelled as a number is, so that they can be written back; of up to 12 digits. */
function secondsIn(requestTime: string | undefined): number | null {
  if (requestTime === undefined || requestTime.length > 12) return null;
  const seconds = Number(requestTime);
  return seconds >= 0 && String(seconds) === requestTime && Number.isInteger(seconds) ? seconds : null;
}

/** The parts of the query that no field of the envelope holds exactly; a name given twice has a list. */
function queryLeftover(query: CallbackQuery): JsonObject | undefined {
  const { contentType, requestTime, unknown } = query;
  const isPlain = contentType === undefined || contentType === 'json';
  if (unknown.length === 0 && isPlain && (requestTime === undefined || secondsIn(requestTime) !== null))
    return undefined;
  const pairs = [...unknown];
  if (!isPlain) pairs.push(['contenttype', contentType]);
  if (requestTime !== undefined && secondsIn(requestTime) === null) pairs.push(['RequestTime', requestTime]);
  const values = Map.groupBy(pairs, ([name]) => name);
  const left: Record<string, JsonValue> = Object.create(null);
  for (const [name, given] of values) {
    const texts = given.map(([, text]) => text);
    left[name] = texts.length === 1 ? (texts[0] ?? '') : texts;
  }
  return left;
}

/**
 * The leftover of the body, with the query's under "?" and, for a batch item, that of the body around it under "?batch". A
 * name of the body that begins with "?" gets one more in front.
 */
function joined(
  body: JsonObject | undefined,
  query: JsonObject | undefined,
  around: JsonObject | undefined,
): JsonObject | undefined {
  if (body === undefined && query === undefined && around === undefined) return undefined;
  const extras: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of Object.entries(body ?? {})) extras[name.startsWith('?') ? `?${name}` : name] = value;
  if (query !== undefined) extras['?'] = query;
  if (around !== undefined) extras['?batch'] = around;
  return extras;
}
