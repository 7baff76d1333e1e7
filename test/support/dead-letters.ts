import type { PlacedLetter } from '../../cli/dead-letters/letter.ts';
import type { TranslationRules } from '../../ingest/tencent/request.ts';
import type { DeadLetter } from '../../schemas/generated/events.ts';
import { eventsOf, queryString, type RequestParts, receivedAtMs, sdkAppId, verdictCommand } from './callbacks.ts';

/** Dead letters as ingest writes them for a request. */
export function lettersOf(parts: RequestParts, rules?: TranslationRules): readonly DeadLetter[] {
  return eventsOf(parts, rules).flatMap((event) => (event.record === 'DeadLetter' ? [event.value] : []));
}

/** A body that today is a verdict. */
export const goodBody = '{"From_Account":"jared","CtxcbResult":1,"MsgID":"17"}';

/** A dead letter of a callback that older code refused; unless told otherwise one that today's code takes. */
export function aLetter(more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    eventId: 'a'.repeat(32),
    service: 'ingest',
    reason: 'FIELD_INVALID',
    fieldPath: '/CtxcbResult',
    detail: '/CtxcbResult is a number, expected a word',
    body: Buffer.from(goodBody),
    query: queryString(verdictCommand),
    command: verdictCommand,
    sdkAppId,
    sourceTopic: null,
    sourcePartition: null,
    sourceOffset: null,
    key: Buffer.from(`${sdkAppId}/jared`),
    headers: {},
    attempts: 1,
    firstFailedAt: receivedAtMs,
    receivedAt: receivedAtMs,
    ...more,
  };
}

/** Dead letters on their topic, one after the other on partition 0. */
export function placed(...letters: readonly DeadLetter[]): readonly PlacedLetter[] {
  return letters.map((letter, index) => ({ partition: 0, offset: index, letter }));
}
