import { setTimeout as pause } from 'node:timers/promises';
import { GenericError, ResponseError } from '@platformatic/kafka';
import { AppError, messageOf } from '../errors.ts';
import { KafkaRequestError } from './admin.ts';

const firstPauseMs = 20;
const longestPauseMs = 250;

/**
 * What `ask` resolves to. Where it fails with what may pass (a broker that is away or not yet ready, a leader or coordinator on its
 * way) it is run again, after pauses of 20 to 250 ms.
 *
 * @throws the reason of `signal` as soon as that is aborted; {KafkaRequestError} for what does not pass.
 */
export async function untilAnswered<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    signal.throwIfAborted();
    try {
      return await orAborted(signal, ask());
    } catch (error) {
      signal.throwIfAborted();
      if (!mayPass(error)) throw asRequestError(error);
    }
    await pause(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether the same request may succeed later without anyone changing anything. */
export function mayPass(error: unknown): boolean {
  if (error instanceof AppError) return error.retryable;
  if (error instanceof ResponseError) return error.errors.every(mayPass);
  return error instanceof GenericError && error['canRetry'] === true;
}

function asRequestError(error: unknown): Error {
  return error instanceof AppError ? error : new KafkaRequestError(`Kafka: ${messageOf(error)}`, { cause: error });
}

/** Requests cannot be called back, so nobody waits for one any longer. */
async function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
