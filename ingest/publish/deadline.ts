import type { Clock } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';

/** Kafka has not acknowledged an event in time; it may still do so later. */
export class DeadlineError extends AppError {
  override readonly name = 'DeadlineError';
  readonly code = 'INGEST_DEADLINE';
  readonly retryable = true;
}

/** Resolves as `acknowledged` does. @throws {DeadlineError} when it has not after `deadlineMs`. */
export async function withinDeadline<T>(acknowledged: Promise<T>, clock: Clock, deadlineMs: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(deadlineMs, () =>
    late.reject(new DeadlineError(`Kafka has not acknowledged the event within ${deadlineMs} ms`)),
  );
  try {
    return await Promise.race([acknowledged, late.promise]);
  } finally {
    cancel();
  }
}
