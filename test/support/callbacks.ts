import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseQuery } from '../../ingest/tencent/query.ts';
import type { CallbackRequest, TranslatedEvent, TranslationRules } from '../../ingest/tencent/request.ts';
import { createTextPolicy, type TextMode } from '../../ingest/tencent/text-policy.ts';
import { type Translation, translate } from '../../ingest/tencent/translate.ts';
import type { RecordName, RecordOf } from '../../schemas/generated/events.ts';

export const sdkAppId = 1400187352;
/** 2023-11-14T22:13:20Z. */
export const receivedAtMs = 1_700_000_000_000;

/** The text of a body under test/vectors/callbacks. */
export function vector(name: string): string {
  return readFileSync(join(import.meta.dirname, `../vectors/callbacks/${name}.json`), 'utf8');
}

/** A query string for `command`, with whatever else is given. */
export function queryString(command: string | undefined, more: Readonly<Record<string, string>> = {}): string {
  const base = {
    SdkAppid: String(sdkAppId),
    ...(command !== undefined && { CallbackCommand: command }),
    contenttype: 'json',
  };
  return new URLSearchParams({ ...base, ...more }).toString();
}

export interface RequestParts {
  readonly command?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body: string | Buffer | object;
}

/** An authentic request. */
export function aRequest({ command, query, body }: RequestParts): CallbackRequest {
  const text = queryString(command, query);
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return { sdkAppId, query: parseQuery(text), queryString: text, body: bytes, receivedAtMs };
}

/** Rules whose random texts are "random-1", "random-2" and so on. */
export function someRules(mode: TextMode = 'full', secret?: string): TranslationRules {
  let count = 0;
  return {
    texts: createTextPolicy(mode, secret),
    idSecret: secret,
    answers: new Map(),
    random: () => {
      count += 1;
      return `random-${count}`;
    },
  };
}

export function translated(parts: RequestParts, rules: TranslationRules = someRules()): Translation {
  return translate(aRequest(parts), rules);
}

/** The events of a request that is no URL check. */
export function eventsOf(parts: RequestParts, rules?: TranslationRules): readonly TranslatedEvent[] {
  const translation = translated(parts, rules);
  if (translation.kind !== 'events') throw new Error(`Expected events, got ${translation.kind}`);
  return translation.events;
}

/** The only event of a request, which must be a record of this name. */
export function eventOf<N extends RecordName>(
  record: N,
  parts: RequestParts,
  rules?: TranslationRules,
): { readonly topic: string; readonly key: string; readonly value: RecordOf[N] } {
  const [event, ...others] = eventsOf(parts, rules);
  if (event === undefined || others.length > 0) throw new Error(`Expected one event, got ${others.length + 1}`);
  if (event.record !== record)
    throw new Error(`Expected ${record}, got ${event.record}: ${JSON.stringify(event.value)}`);
  return event as unknown as { topic: string; key: string; value: RecordOf[N] };
}

export const verdictCommand = 'ContentCallback.ResultNotify';

/** The smallest body that is a verdict. */
export const smallestVerdict = { CtxcbResult: 0 } as const;
