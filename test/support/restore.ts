import { isObject, type JsonObject, type JsonValue, parseBody } from '../../ingest/tencent/json.ts';
import type { ContentVerdict, UnknownCallback } from '../../schemas/generated/events.ts';

/** The body that an event stands for: its fields under Tencent's names, and over them what `extras` holds. */
export function restoreBody(event: ContentVerdict | UnknownCallback): JsonObject {
  const fields = 'result' in event ? verdictBody(event) : { From_Account: event.fromAccount, GroupId: event.groupId };
  const named = {
    CallbackCommand: event.command,
    SdkAppId: event.sdkAppId,
    EventTime: event.occurredAt,
    ...fields,
  };
  return overlay(withoutNulls(named), extrasBody(event.extras));
}

function verdictBody(event: ContentVerdict): JsonObject {
  return {
    Scene: event.scene,
    From_Account: event.fromAccount,
    ContactItem: withoutNulls({
      ContactType: event.contactType === null ? null : event.contactType === 'C2C' ? 1 : 2,
      To_Account: event.toAccount,
      ToGroupId: event.toGroupId,
    }),
    ContentType: event.contentType,
    TextContent: event.textContent,
    FileURL: event.fileUrl,
    MsgID: event.msgId,
    CtxcbResult: event.result === 'BLOCKED' ? 1 : 0,
    CtxcbSuggestion: event.suggestionRaw,
    CtxcbLabel: event.label,
    CtxcbSubLabel: event.subLabel,
    CtxcbSubLabelDesc: event.subLabelDescription,
    CtxcbLibName: event.libraryName,
    CtxcbKeywords: event.keywords,
    CtxcbRequestId: event.moderationRequestId,
    CloudCustomData: event.cloudCustomData,
    IsRestAPI: event.isRestApi,
  };
}

/** The part of `extras` that comes from the body: without the query's "?", names with one "?" less in front. */
export function extrasBody(extras: string | null): JsonObject {
  if (extras === null) return {};
  const parsed = parseBody(Buffer.from(extras), true);
  if (!parsed.ok) throw new Error(`extras is no JSON object: ${extras}`);
  const body: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of Object.entries(parsed.body)) {
    if (name === '?' || name === '?batch') continue;
    body[name.startsWith('?') ? name.slice(1) : name] = value;
  }
  return body;
}

function withoutNulls(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

function overlay(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = Object.assign(Object.create(null), base);
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isObject(below) && isObject(value) ? overlay(below, value) : value;
  }
  return merged;
}

/** JSON Pointers of values in `body` that `restored` does not hold exactly. */
export function lostValues(body: JsonObject, restored: JsonObject, path = ''): readonly string[] {
  return Object.entries(body).flatMap(([name, value]) => {
    const kept = Object.hasOwn(restored, name) ? restored[name] : undefined;
    if (isObject(value) && isObject(kept)) return lostValues(value, kept, `${path}/${name}`);
    return JSON.stringify(value) === JSON.stringify(kept) ? [] : [`${path}/${name}`];
  });
}
