import type { JsonObject, JsonValue } from './json.ts';

/** Where a part of a key stands in a body: names, and places in lists. */
export type KeyPath = readonly string[];

/** A path from its text, for example `PairList/0/From_Account`. */
export function keyPath(text: string): KeyPath {
  return text.split('/');
}

/** A record's key: `<sdkAppId>/` and the first of `paths` under which `body` has a filled text. */
export function keyOf(sdkAppId: number, body: JsonObject | undefined, paths: readonly KeyPath[]): string {
  for (const path of paths) {
    const part = valueAt(body, path);
    if (typeof part === 'string' && part !== '') return `${sdkAppId}/${part}`;
  }
  return `${sdkAppId}/`;
}

function valueAt(body: JsonValue | undefined, path: KeyPath): JsonValue | undefined {
  let value = body;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as JsonObject)[name];
  }
  return value;
}
