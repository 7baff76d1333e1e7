import { AppError } from '../errors.ts';

/** The broker will not take a record however often it is sent, for example because it is too large. */
export class RecordRefusedError extends AppError {
  override readonly name = 'RecordRefusedError';
  readonly code = 'KAFKA_RECORD_REFUSED';
  readonly retryable = false;
}

/** Answers of a broker that speak of the record and not of the moment. */
const refusals = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP']);

/** Whether a broker that answers with the error of this name will never take the record. */
export function isRefusal(errorName: string): boolean {
  return refusals.has(errorName);
}
