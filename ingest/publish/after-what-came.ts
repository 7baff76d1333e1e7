import type { Clock } from '../../lib/clock.ts';

/**
 * Runs `task` after `delayMs` and behind whatever has come in by then: a process that got no processor time would otherwise
 * find its timers due before it sees what Kafka and the disk have long answered. The returned function cancels it.
 */
export function afterWhatCame(clock: Clock, delayMs: number, task: () => void): () => void {
  let isCancelled = false;
  const cancel = clock.after(delayMs, () => {
    setImmediate(() => {
      if (!isCancelled) task();
    });
  });
  return () => {
    isCancelled = true;
    cancel();
  };
}
