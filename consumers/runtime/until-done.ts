import { type Clock, sleep } from '../../lib/clock.ts';
import { AppError } from '../../lib/errors.ts';
import { isKafkaClientError } from '../../lib/kafka/admin.ts';

export interface UntilDoneOptions {
  /** Ends the attempts. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Told of each failure that is waited for. */
  readonly onFailure: (error: Error) => void;
  /** Whether a failure is not waited for; none is not. */
  readonly isFinal?: (error: unknown) => boolean;
}

const pauseMs = 2_000;

/**
 * Tries `work` every 2 s until it is done; a failure of broker, registry or set-up is waited for.
 *
 * @throws what `work` throws beside that, a bug, and what is final; and the signal's reason once that has ended it.
 */
export async function untilDone<T>(work: () => Promise<T>, options: UntilDoneOptions): Promise<T> {
  const { signal, clock, onFailure, isFinal = () => false } = options;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError || isKafkaClientError(error)) || isFinal(error)) throw error;
      onFailure(error as Error);
      await sleep(clock, pauseMs);
    }
  }
}
