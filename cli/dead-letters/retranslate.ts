import { commandOf } from '../../ingest/tencent/commands.ts';
import type { Failure } from '../../ingest/tencent/dead-letter.ts';
import { isArray, parseBody } from '../../ingest/tencent/json.ts';
import { parseQuery } from '../../ingest/tencent/query.ts';
import type { CallbackRequest, TranslatedEvent, TranslationRules } from '../../ingest/tencent/request.ts';
import { isDigested } from '../../ingest/tencent/text-policy.ts';
import { translate } from '../../ingest/tencent/translate.ts';
import { messageOf } from '../../lib/errors.ts';
import type { DeadLetter } from '../../schemas/generated/events.ts';

/** A reason of today: as a dead letter has it, but it may be one that no dead letter has. */
export interface Stays {
  readonly reason: string;
  readonly fieldPath: string | null;
  readonly detail: string;
}

/** What today's code makes of the callback in a dead letter of ingest. */
export type Retranslation =
  /** The events that it is now. Of a batch some items may still be bad: `stays` names the first. */
  | { readonly kind: 'events'; readonly events: readonly TranslatedEvent[]; readonly stays?: Stays }
  | { readonly kind: 'stays'; readonly stays: Stays }
  /** Today it is nothing that an event is written for. */
  | { readonly kind: 'nothing'; readonly why: string }
  /** Its texts were not kept, so that it can never become the event. */
  | { readonly kind: 'not-kept'; readonly why: string };

/**
 * Translates the callback in a dead letter of ingest again. One event has the letter's id, so that it is the event which the
 * callback would have been, also when this is repeated; of a batch's events each has its own id, the same each time.
 */
export function retranslate(letter: DeadLetter, rules: Omit<TranslationRules, 'random'>): Retranslation {
  const { body, sdkAppId, eventId } = letter;
  if (body === null) return { kind: 'not-kept', why: 'its body was not kept (IMWATCH_TEXT=none)' };
  if (isDigested(body)) return { kind: 'not-kept', why: 'its texts were kept as digests (IMWATCH_TEXT=hmac)' };
  if (sdkAppId === null) return staying('UNEXPECTED', 'The dead letter names no app, expected an sdkAppId');
  try {
    // Chance would give a batch's events other ids at each redrive.
    const translation = translate(requestOf(letter, body, sdkAppId), { ...rules, random: () => eventId });
    if (translation.kind === 'url-check') return { kind: 'nothing', why: 'its body is blank' };
    return withPlace(outcomeOf(translation.events, eventId), placeOfItem(letter));
  } catch (error) {
    return staying('UNEXPECTED', `imwatch fails on this body: ${messageOf(error)}`);
  }
}

function staying(reason: Failure['reason'], detail: string): Retranslation {
  return { kind: 'stays', stays: { reason, fieldPath: null, detail } };
}

function outcomeOf(translated: readonly TranslatedEvent[], eventId: string): Retranslation {
  if (translated.length === 0) return { kind: 'nothing', why: 'its batch is empty' };
  const events = translated.filter(({ record }) => record !== 'DeadLetter');
  const bad = translated.find((event) => event.record === 'DeadLetter');
  const [only] = events;
  if (bad === undefined && events.length === 1 && only !== undefined) {
    return { kind: 'events', events: [{ ...only, value: { ...only.value, eventId } } as TranslatedEvent] };
  }
  if (bad === undefined) return { kind: 'events', events };
  const { reason, fieldPath, detail } = bad.value;
  const stays = { reason, fieldPath, detail };
  return events.length === 0 ? { kind: 'stays', stays } : { kind: 'events', events, stays };
}

function requestOf(letter: DeadLetter, body: Buffer, sdkAppId: number): CallbackRequest {
  const queryString = letter.query ?? '';
  const query = parseQuery(queryString);
  const request = { sdkAppId, query, queryString, body, receivedAtMs: letter.receivedAt };
  const place = placeOfItem(letter);
  if (place === undefined) return request;
  const command = query.command ?? letter.command ?? undefined;
  const wrapped = Buffer.concat([Buffer.from(`{${JSON.stringify(place.list)}:[`), body, Buffer.from(']}')]);
  return { ...request, query: { ...query, command }, body: wrapped };
}

/** Where an item stood in its batch: under the name `list`, and with that the JSON Pointer `path`. */
interface ItemPlace {
  readonly list: string;
  readonly path: string;
}

/**
 * The place of the batch item that the letter's body is, `undefined` when the body is a whole one. The path of what was wrong
 * begins with the item's place; a whole body whose items are all bad has such a path too, and still has its list.
 */
export function placeOfItem({ command, fieldPath, body }: DeadLetter): ItemPlace | undefined {
  const [path = '', list = '', index = ''] = /^\/([^/]+)\/(\d+)(?=\/|$)/.exec(fieldPath ?? '') ?? [];
  if (list === '' || command === null || body === null || commandOf(command).batch !== list) return undefined;
  const parsed = parseBody(body, false);
  const items = parsed.ok ? parsed.body[list] : undefined;
  return isArray(items) && items.length > Number(index) ? undefined : { list, path };
}

/** What is wrong with an item is said by its place in the batch it came in, not in the batch of one that it is tried in. */
function withPlace(outcome: Retranslation, place: ItemPlace | undefined): Retranslation {
  if (outcome.kind !== 'stays' || place === undefined) return outcome;
  const { reason, fieldPath, detail } = outcome.stays;
  const tried = `/${place.list}/0`;
  const moved = (text: string): string => (text.startsWith(tried) ? place.path + text.slice(tried.length) : text);
  return {
    kind: 'stays',
    stays: { reason, fieldPath: fieldPath === null ? null : moved(fieldPath), detail: moved(detail) },
  };
}
