import { createHmac, hash } from 'node:crypto';
import { isExactNumber, type JsonObject, type JsonValue } from './json.ts';
import type { CallbackRequest, TranslationRules } from './request.ts';

const idHexDigits = 32;

/** Fields that give a body a time or an id of its own, so that two equal bodies are one callback delivered twice. */
const identifyingNames = [
  'EventTime',
  'MsgTime',
  'LastReadTime',
  'MsgKey',
  'MsgID',
  'MsgId',
  'MsgSeq',
  'CtxcbRequestId',
  'RequestId',
];

/**
 * The id of a callback: 32 hexadecimal digits of SHA-256 over app, command and body, keyed with the rules' secret where there
 * is one, so that nobody can find a text that is not kept by trying texts out.
 *
 * An equal body has the same id when it has a time or an id of its own, for then it is a redelivery. Without one the
 * delivery's RequestID tells bodies apart (and items of a batch their place), and without that a random text: in doubt two
 * events, never a lost one.
 */
export function callbackId(
  request: CallbackRequest,
  rules: TranslationRules,
  callback: {
    readonly command: string;
    readonly body?: JsonObject | undefined;
    readonly path: string;
    readonly bytes: Buffer | string;
  },
): string {
  const { command, body, path, bytes } = callback;
  const ownIdentity = body !== undefined && identifyingNames.some((name) => isFilled(body[name]));
  const discriminator = ownIdentity ? '' : (request.query.requestId ?? rules.random()) + path;
  const head = `${request.sdkAppId}\n${command}\n${discriminator}\n`;
  return digest(typeof bytes === 'string' ? head + bytes : joined(head, bytes), rules.idSecret);
}

/** A buffer for what is hashed next, so that none is made for each callback; nothing of it outlives the hash. */
const scratch = Buffer.alloc(16 * 1024);

function joined(head: string, bytes: Buffer): Buffer {
  // A character of text is at most three bytes in UTF-8 for each of its UTF-16 units.
  if (3 * head.length + bytes.length > scratch.length) return Buffer.concat([Buffer.from(head), bytes]);
  const headBytes = scratch.write(head);
  scratch.set(bytes, headBytes);
  return scratch.subarray(0, headBytes + bytes.length);
}

function digest(input: string | Buffer, secret: string | undefined): string {
  const hex = secret === undefined ? hash('sha256', input) : createHmac('sha256', secret).update(input).digest('hex');
  return hex.slice(0, idHexDigits);
}

/** A text with something in it, or a number other than 0: anything else identifies nothing. */
function isFilled(value: JsonValue | undefined): boolean {
  return typeof value === 'string' ? value !== '' : typeof value === 'number' ? value !== 0 : isExactNumber(value);
}
