import { AppError } from '../../errors.ts';

/** Somebody else has the transactional id: nothing of the transaction is visible, and this producer is of no use any more. */
export class FencedError extends AppError {
  override readonly name = 'FencedError';
  readonly code = 'KAFKA_PRODUCER_FENCED';
  readonly retryable = false;
}

/** The group has gone on without this member: nothing of the transaction is visible. */
export class NotMemberError extends AppError {
  override readonly name = 'NotMemberError';
  readonly code = 'KAFKA_NOT_A_MEMBER';
  readonly retryable = false;
}

/** Nothing of the transaction is visible; the same may succeed later with the same producer. */
export class TransactionAbortedError extends AppError {
  override readonly name = 'TransactionAbortedError';
  readonly code = 'KAFKA_TRANSACTION_ABORTED';
  readonly retryable = true;
}

/**
 * Nobody knows whether the transaction is committed: the next producer of the id will. This one is of no use any more.
 */
export class OutcomeUnknownError extends AppError {
  override readonly name = 'OutcomeUnknownError';
  readonly code = 'KAFKA_OUTCOME_UNKNOWN';
  readonly retryable = true;
}

/**
 * A transaction of a predecessor is over and still open in some partitions, and nobody knows how it has ended: a person has to look
 * (`kafka-transactions.sh`).
 */
export class UnmarkedTransactionError extends AppError {
  override readonly name = 'UnmarkedTransactionError';
  readonly code = 'KAFKA_TRANSACTION_UNMARKED';
  readonly retryable = true;
}
