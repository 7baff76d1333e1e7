import type { IngestReason } from '../../schemas/dead-letter-reasons.ts';
import { type FieldInvalid, shown } from './body-reader.ts';
import { commandOf } from './commands.ts';
import { callbackId } from './event-id.ts';
import type { JsonObject } from './json.ts';
import { keyOf } from './key.ts';
import { queryWithoutSign } from './query.ts';
import type { CallbackRequest, TranslatedEvent, TranslationRules } from './request.ts';

/** Why input could not become an event. */
export type DeadLetterReason = IngestReason;

export interface Failure {
  readonly reason: DeadLetterReason;
  /** JSON Pointer of the value that was wrong. */
  readonly fieldPath: string | null;
  readonly detail: string;
}

/** As much of the input as has been understood. */
export interface Understood {
  readonly command: string | null;
  readonly body?: JsonObject;
  /** JSON Pointer of `body` in the request's body, when it is an item of a batch. */
  readonly path?: string;
  /** What is kept in place of the request's body: an item of its batch. */
  readonly bytes?: Buffer | string;
}

/** The dead letter of an authentic request; it has the key that its event would have had. */
export function deadLetter(
  request: CallbackRequest,
  rules: TranslationRules,
  failure: Failure,
  understood: Understood,
): TranslatedEvent {
  const { sdkAppId, receivedAtMs, queryString } = request;
  const { command, body, path = '' } = understood;
  const bytes = understood.bytes ?? request.body;
  const key = keyOf(sdkAppId, body, command === null ? [] : commandOf(command).family.keys);
  const value = {
    eventId: callbackId(request, rules, { command: command ?? '', body, path, bytes }),
    service: 'ingest',
    reason: failure.reason,
    fieldPath: failure.fieldPath,
    detail: failure.detail,
    body: rules.texts.body(typeof bytes === 'string' ? Buffer.from(bytes) : bytes),
    query: queryWithoutSign(queryString, rules.texts.mode === 'full'),
    command,
    sdkAppId,
    sourceTopic: null,
    sourcePartition: null,
    sourceOffset: null,
    key: Buffer.from(key),
    headers: {},
    attempts: 1,
    firstFailedAt: receivedAtMs,
    receivedAt: receivedAtMs,
  };
  return { record: 'DeadLetter', topic: 'dead-letter', key, value };
}

/** The failure that a wrong field is; its value is quoted only where texts are kept. */
export function wrongField(error: FieldInvalid, rules: TranslationRules): Failure {
  const { message, value } = error;
  const detail = rules.texts.mode === 'full' && value !== undefined ? `${message}; it is ${shown(value)}` : message;
  return { reason: 'FIELD_INVALID', fieldPath: error.path, detail };
}
