import type { Envelope } from '../../schemas/generated/events.ts';
import { commandOf } from './commands.ts';
import { type FieldsOf, restoreFields } from './fields.ts';
import { isObject, type JsonObject, type JsonValue, parseJson } from './json.ts';

/**
 * The body that an event was made of: what its fields hold under Tencent's names, and over it what stands in `extras`.
 *
 * Gives back every value where texts are kept (IMWATCH_TEXT=full); the order of names is not that of the body. What the body
 * did not say itself may be added: CallbackCommand, SdkAppId and EventTime stand in the envelope wherever they came from.
 */
export function restoreBody(event: Envelope): JsonObject {
  const { family } = commandOf(event.command);
  const eventTime =
    event.occurredAt === null ? undefined : event.occurredAt / (family.eventTimeUnit === 's' ? 1000 : 1);
  const named = {
    CallbackCommand: event.command,
    SdkAppId: event.sdkAppId,
    ...(eventTime === undefined ? {} : { EventTime: eventTime }),
    ...restoreFields<object>(family.fields as unknown as FieldsOf<object>, event),
  };
  return overlay(named, bodyExtras(event.extras));
}

/** The part of `extras` that comes from the body: without the query's "?", names with one "?" less in front. */
function bodyExtras(extras: string | null): JsonObject {
  if (extras === null) return {};
  const body: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of Object.entries(parseJson(extras) as JsonObject)) {
    if (name === '?' || name === '?batch') continue;
    body[name.startsWith('?') ? name.slice(1) : name] = value;
  }
  return body;
}

function overlay(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = Object.assign(Object.create(null), base);
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isObject(below) && isObject(value) ? overlay(below, value) : value;
  }
  return merged;
}
