import type { JsonObject } from './json.ts';

/** A record's key: `<sdkAppId>/` and the first of `names` that `body` has as a filled text. */
export function keyOf(sdkAppId: number, body: JsonObject | undefined, names: readonly string[]): string {
  const part = names.map((name) => body?.[name]).find((value) => typeof value === 'string' && value !== '');
  return `${sdkAppId}/${part ?? ''}`;
}
