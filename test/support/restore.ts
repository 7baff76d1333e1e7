import { isArray, isObject, type JsonObject, type JsonValue } from '../../ingest/tencent/json.ts';

/** JSON Pointers of values in `body` that `restored` does not hold exactly; the order of names does not matter. */
export function lostValues(body: JsonObject, restored: JsonObject, path = ''): readonly string[] {
  return Object.entries(body).flatMap(([name, value]) => {
    const kept = Object.hasOwn(restored, name) ? restored[name] : undefined;
    if (isObject(value) && isObject(kept)) return lostValues(value, kept, `${path}/${name}`);
    return isSame(value, kept) ? [] : [`${path}/${name}`];
  });
}

function isSame(a: JsonValue, b: JsonValue | undefined): boolean {
  if (isArray(a)) {
    return isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (isObject(a)) {
    return isObject(b) && Object.keys(a).length === Object.keys(b).length && lostValues(a, b).length === 0;
  }
  return JSON.stringify(a) === JSON.stringify(b);
}
