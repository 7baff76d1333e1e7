import { isUtf8 } from 'node:buffer';

/**
 * A value of a parsed body. A number that JavaScript cannot hold exactly stands as an `ExactNumber`, so that every digit can
 * be written again.
 */
export type JsonValue = null | boolean | number | string | ExactNumber | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}
/** A number as it was spelled; `JSON.stringify` writes it back digit by digit. */
export interface ExactNumber {
  readonly rawJSON: string;
}

/** The part of the JSON source text proposal (in V8 since 11.4) that TypeScript's library does not name yet. */
interface SourceTextJson {
  parse(
    text: string,
    reviver: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): value is ExactNumber;
}
const sourceTextJson = JSON as unknown as SourceTextJson;

/** Nesting that a body may have; its own object is level 1. */
export const maxDepth = 64;

export type ParsedBody =
  | { readonly ok: true; readonly body: JsonObject }
  | { readonly ok: false; readonly reason: 'BODY_NOT_JSON' | 'BODY_TOO_DEEP'; readonly detail: string };

/**
 * The object that `bytes` hold as JSON in UTF-8, a byte order mark skipped.
 *
 * Of repeated names the last wins, `__proto__` is a name like any other, lone surrogates become U+FFFD, numbers keep their
 * digits. `showText` lets the detail of a failure quote the body.
 */
export function parseBody(bytes: Buffer, showText: boolean): ParsedBody {
  if (!isUtf8(bytes)) return notJson('The body is not UTF-8, expected a JSON object in UTF-8');
  const text = textOf(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const what = showText ? `The body is not JSON (${(error as Error).message})` : 'The body is not JSON';
    return notJson(`${what}, expected a JSON object`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return notJson(`The body is ${nameOfType(value)}, expected a JSON object`);
  }
  const { depth, needsExactParse } = scan(bytes);
  if (depth > maxDepth) {
    return { ok: false, reason: 'BODY_TOO_DEEP', detail: `The body is nested deeper than ${maxDepth} levels` };
  }
  return { ok: true, body: (needsExactParse ? parseExactly(text) : value) as JsonObject };
}

/** The value of a JSON text, numbers with their digits. @throws {SyntaxError} */
export function parseJson(text: string): JsonValue {
  return (scan(Buffer.from(text)).needsExactParse ? parseExactly(text) : JSON.parse(text)) as JsonValue;
}

/** Whether the body is blank or an empty object: the request with which the console checks a URL. */
export function isUrlCheck(bytes: Buffer): boolean {
  let at = skipBlanks(bytes, bomBytes(bytes));
  if (at === bytes.length) return true;
  if (bytes[at] !== openBrace) return false;
  at = skipBlanks(bytes, at + 1);
  return bytes[at] === closeBrace && skipBlanks(bytes, at + 1) === bytes.length;
}

/** A short name of a JSON value's type, for messages. */
export function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return sourceTextJson.isRawJSON(value) ? 'a number' : 'an object';
  return `a ${typeof value}`;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !sourceTextJson.isRawJSON(value);
}

export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isExactNumber(value: unknown): value is ExactNumber {
  return sourceTextJson.isRawJSON(value);
}

function textOf(bytes: Buffer): string {
  return bytes.toString('utf8', bomBytes(bytes));
}

function bomBytes(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const quote = 0x22;
const backslash = 0x5c;
const point = 0x2e;
const digit0 = 0x30;
const digit9 = 0x39;
const letterD = 0x64;
const letterE = 0x65;
const letterU = 0x75;
/** The bit that makes a letter lower case. */
const lowerCase = 0x20;

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += 1;
  return at;
}

function notJson(detail: string): ParsedBody {
  return { ok: false, reason: 'BODY_NOT_JSON', detail };
}

/** Fewer digits are always exact as a double. */
const possiblyInexactDigits = 16;

/**
 * What a JSON text in UTF-8 holds that matters for reading it, in one pass: how deep it is nested, and whether it may hold a number that
 * is not exact as a double (16 digits and more, or an exponent) or the escape of a surrogate.
 */
function scan(bytes: Buffer): { readonly depth: number; readonly needsExactParse: boolean } {
  let depth = 0;
  let deepest = 0;
  let digits = 0;
  let needsExactParse = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const code = bytes[at] as number;
    if (code === quote) {
      digits = 0;
      for (at += 1; at < bytes.length; at += 1) {
        const inside = bytes[at];
        if (inside === quote) break;
        if (inside !== backslash) continue;
        at += 1;
        if (bytes[at] === letterU && ((bytes[at + 1] ?? 0) | lowerCase) === letterD) needsExactParse = true;
      }
    } else if ((code >= digit0 && code <= digit9) || code === point) {
      digits += 1;
      if (digits >= possiblyInexactDigits) needsExactParse = true;
    } else if (digits > 0 && (code | lowerCase) === letterE) {
      needsExactParse = true;
    } else {
      digits = 0;
      if (code === openBrace || code === openBracket) {
        depth += 1;
        if (depth > deepest) deepest = depth;
      } else if (code === closeBrace || code === closeBracket) depth -= 1;
    }
  }
  return { depth: deepest, needsExactParse };
}

function parseExactly(text: string): unknown {
  return sourceTextJson.parse(text, (_name, value, { source }) => {
    if (typeof value === 'string') return value.toWellFormed();
    if (typeof value === 'number' && source !== undefined && !isExact(value, source))
      return sourceTextJson.rawJSON(source);
    return typeof value === 'object' && value !== null ? withWellFormedNames(value) : value;
  });
}

function withWellFormedNames(value: object): object {
  if (Array.isArray(value) || Object.keys(value).every((name) => name.isWellFormed())) return value;
  const renamed: Record<string, unknown> = Object.create(null);
  for (const [name, content] of Object.entries(value)) renamed[name.toWellFormed()] = content;
  return renamed;
}

/** Whether the shortest text of `value` has the same digits and magnitude as `source`. */
function isExact(value: number, source: string): boolean {
  return Number.isFinite(value) && canonical(String(value)) === canonical(source);
}

/** A decimal number as its significant digits and the exponent of the last one: "1.50e3" → "15e2". */
function canonical(number: string): string {
  const [mantissa = '', exponent = '0'] = number.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = (whole + fraction).replace(/^0+/, '');
  // A loop, since /0+$/ would take time by the square of a long run of zeros.
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  if (end === 0) return '0';
  return `${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
