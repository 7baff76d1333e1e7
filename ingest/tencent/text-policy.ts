import { createHmac } from 'node:crypto';
import { isArray, isObject, type JsonObject, type JsonValue, parseBody } from './json.ts';

/** How much of what people wrote is kept: all of it, a keyed digest, or nothing. */
export type TextMode = 'full' | 'hmac' | 'none';

/**
 * Applied to message texts, keywords, file addresses, custom data, extras and dead letters before anything is written.
 *
 * With `hmac` every text becomes `hmac:` and 32 hexadecimal digits, the same for the same text and secret, so that equal
 * texts can still be counted; numbers and names of unmapped fields stay. With `none` nothing is kept, extras included.
 */
export interface TextPolicy {
  readonly mode: TextMode;
  text(value: string | null): string | null;
  texts(values: readonly string[]): readonly string[];
  /** A value as JSON text, its texts treated as texts. */
  json(value: JsonValue): string | null;
  /** Unmapped values as JSON text. */
  extras(value: JsonObject | undefined): string | null;
  /** The bytes of a body that becomes a dead letter. */
  body(bytes: Buffer): Buffer | null;
}

/** @param secret needed for `hmac`: the key of the digests. */
export function createTextPolicy(mode: TextMode, secret: string | undefined): TextPolicy {
  switch (mode) {
    case 'full':
      return {
        mode,
        text: (value) => value,
        texts: (values) => values,
        json: (value) => JSON.stringify(value),
        extras: (value) => (value === undefined ? null : JSON.stringify(value)),
        body: (bytes) => bytes,
      };
    case 'none':
      return { mode, text: () => null, texts: () => [], json: () => null, extras: () => null, body: () => null };
    case 'hmac':
      return hmacPolicy(secret ?? '');
  }
}

const digestHexDigits = 32;

/** A body full of short texts grows by their digests; above this it is kept as one digest of the whole. */
const maxBodyCharacters = 1024 * 1024;

function hmacPolicy(secret: string): TextPolicy {
  // "text" keeps these digests apart from event ids made with the same secret.
  const digest = (value: string | Buffer): string =>
    `hmac:${createHmac('sha256', secret).update('text\0').update(value).digest('hex').slice(0, digestHexDigits)}`;

  const inJson = (value: JsonValue): JsonValue => {
    if (typeof value === 'string') return digest(value);
    if (isArray(value)) return value.map(inJson);
    if (isObject(value)) return mapObject(value, inJson);
    return value;
  };

  return {
    mode: 'hmac',
    text: (value) => (value === null ? null : digest(value)),
    texts: (values) => values.map(digest),
    json: (value) => JSON.stringify(inJson(value)),
    extras: (value) => (value === undefined ? null : JSON.stringify(inJson(value))),
    body: (bytes) => {
      const parsed = parseBody(bytes, false);
      const text = parsed.ok ? JSON.stringify(inJson(parsed.body)) : digest(bytes);
      return Buffer.from(text.length > maxBodyCharacters ? digest(bytes) : text);
    },
  };
}

/**
 * Whether a dead letter's body is what `hmac` has made of one, so that it can never become the event it should have been. No
 * such body is missed; a body as received is taken for one only when each of its texts has the form of a digest.
 */
export function isDigested(body: Buffer): boolean {
  const parsed = parseBody(body, false);
  if (!parsed.ok) return digestForm.test(body.toString());
  const texts = textsIn(parsed.body);
  return texts.length > 0 && texts.every((text) => digestForm.test(text));
}

const digestForm = new RegExp(`^hmac:[0-9a-f]{${digestHexDigits}}$`);

function textsIn(value: JsonValue): readonly string[] {
  if (typeof value === 'string') return [value];
  if (isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

function mapObject(object: JsonObject, map: (value: JsonValue) => JsonValue): JsonObject {
  const mapped: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of Object.entries(object)) mapped[name] = map(value);
  return mapped;
}
