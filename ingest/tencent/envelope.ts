import type { Envelope } from '../../schemas/generated/events.ts';
import { BodyReader } from './body-reader.ts';
import { callbackId } from './event-id.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { readOccurredAt } from './occurred-at.ts';
import type { CallbackQuery } from './query.ts';
import type { Callback, CallbackRequest, TranslationRules } from './request.ts';

/** The envelope of a callback's event, read last: what no field has taken from `reader` by now goes into `extras`. */
export function envelopeOf(
  request: CallbackRequest,
  rules: TranslationRules,
  callback: Callback,
  reader: BodyReader,
  eventTimeUnit: 'ms' | 's',
): Envelope {
  const { query, sdkAppId, receivedAtMs } = request;
  const { command } = callback;
  const requestTimeSec = secondsIn(query.requestTime);
  const occurredAt = readOccurredAt(reader, eventTimeUnit);
  takeNames(reader, request, command);
  return {
    eventId: callbackId(request, rules, callback),
    sdkAppId,
    command,
    receivedAt: receivedAtMs,
    occurredAt,
    clientIp: query.clientIp ?? null,
    optPlatform: query.optPlatform ?? null,
    requestId: query.requestId ?? null,
    requestTime: requestTimeSec === null ? null : requestTimeSec * 1000,
    extras: rules.texts.extras(extrasOf(reader.leftover(), queryLeftover(query), callback.around)),
  };
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

function secondsIn(requestTime: string | undefined): number | null {
  return requestTime !== undefined && /^(0|[1-9]\d{0,11})$/.test(requestTime) ? Number(requestTime) : null;
}

/** The parts of the query that no field of the envelope holds exactly; a name given twice has a list. */
function queryLeftover(query: CallbackQuery): JsonObject | undefined {
  const { contentType, requestTime } = query;
  const pairs = [...query.unknown];
  if (contentType !== undefined && contentType !== 'json') pairs.push(['contenttype', contentType]);
  if (requestTime !== undefined && secondsIn(requestTime) === null) pairs.push(['RequestTime', requestTime]);
  if (pairs.length === 0) return undefined;
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
function extrasOf(
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
