type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
type JsonObject = { readonly [name: string]: Json };

const inSeconds = new Set(['MsgTime', 'LastReadTime', 'TaskTime']);

/**
 * The values that an event of this body must have by the rules of the documents alone, without a look at the table of fields:
 * Tencent's names in camelCase, objects that hold one thing flattened to it, seconds as milliseconds.
 */
export function documentedValues(body: JsonObject): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(body)) {
    if (name === 'CallbackCommand') values['command'] = value;
    else if (name === 'EventTime') values['occurredAt'] = eventTimeMs(Number(value));
    else if (name === 'Info') Object.assign(values, documentedValues(value as JsonObject));
    else if (name === 'MsgBody') values['msgBody'] = (value as readonly JsonObject[]).map(element);
    else if (name === 'Command') values['restCommand'] = value;
    else if (inSeconds.has(name)) values[camelCase(name)] = Number(value) * 1000;
    else values[camelCase(name)] = Array.isArray(value) ? value.map(listed) : value;
  }
  return values;
}

function eventTimeMs(time: number): number {
  return time < 1e11 ? time * 1000 : time;
}

function camelCase(name: string): string {
  const joined = name.replaceAll('_', '').replace(/ID$/, 'Id');
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}

/** Objects of a list that hold one thing, and can hold nothing else, stand as that thing. */
const onlyThing = new Set(['Member_Account', 'Subscriber_Account', 'To_Account', 'MsgSeq', 'MsgKey', 'Platform']);

function listed(item: Json): unknown {
  if (typeof item !== 'object' || item === null) return item;
  const [first, ...others] = Object.entries(item);
  if (first !== undefined && others.length === 0 && onlyThing.has(first[0])) return first[1];
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => {
      const isText = typeof value === 'string' || Array.isArray(value) || !/value/i.test(name);
      return [camelCase(name), Array.isArray(value) ? value.map(listed) : isText ? value : JSON.stringify(value)];
    }),
  );
}

function element({ MsgType: msgType, MsgContent: content }: JsonObject): unknown {
  const isText = msgType === 'TIMTextElem';
  return {
    msgType,
    text: isText ? (content as JsonObject)['Text'] : null,
    msgContent: isText ? null : JSON.stringify(content),
  };
}
