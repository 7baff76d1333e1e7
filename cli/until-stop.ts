import { messageOf } from '../lib/errors.ts';
import { watchStopSignals } from '../lib/stop-signals.ts';
import { exitCodes } from './exit-codes.ts';
import type { LiveLine } from './live-line.ts';
import { note } from './output.ts';

const parentCheckIntervalMs = 500;

/** What runs until it is stopped. */
export interface Run {
  /** Aborted when a stop is asked for; what is half-way gives up. */
  readonly signal: AbortSignal;
  /** Disposed of at the stop, in reverse order. */
  readonly resources: AsyncDisposableStack;
  /** Stops because something that is needed has ended. */
  readonly fail: (error: Error) => void;
  /** Stops because all is done. */
  readonly finish: () => void;
}

/**
 * Starts something and keeps it until Ctrl-C, SIGTERM or the end of npm, then disposes of its resources. Another Ctrl-C more
 * than a second later ends the process at once.
 */
export async function untilStop(
  env: Readonly<Record<string, string | undefined>>,
  live: LiveLine,
  start: (run: Run) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<void>();
  const stop = (reason: string): void => {
    live.clear();
    note(`stopping (${reason})`);
    stopping.abort();
    stopped.resolve();
  };
  const fail = (error: Error): void => {
    process.exitCode = exitCodes.problem;
    if (!stopping.signal.aborted) stop(messageOf(error));
  };
  const endWatch = watchStopSignals(stop, () => process.exit(exitCodes.interrupted));
  const parentWatch = watchNpm(env, () => stop('npm ended'));

  const resources = new AsyncDisposableStack();
  const finish = (): void => {
    if (!stopping.signal.aborted) stop('done');
  };
  const started = start({ signal: stopping.signal, resources, fail, finish });
  try {
    await Promise.race([started, stopped.promise]);
    await stopped.promise;
  } finally {
    clearInterval(parentWatch);
    live.clear();
    await resources.disposeAsync();
    // A start that was given up half-way still has something to stop, and fails because it was given up.
    await started.catch(() => undefined);
    endWatch();
  }
}

/** npm may be killed without a chance to tell us; then we have another parent. */
function watchNpm(env: Readonly<Record<string, string | undefined>>, onEnd: () => void): NodeJS.Timeout | undefined {
  if (env['npm_lifecycle_event'] === undefined) return undefined;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    onEnd();
  }, parentCheckIntervalMs);
  return watch;
}
