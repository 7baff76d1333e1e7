/** Signals by which a terminal, a service manager or npm asks for a stop. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A Ctrl-C under npm arrives twice within a moment: from the terminal, and passed on by npm. That is one wish. */
const sameWishMs = 1_000;

/**
 * Calls `onStop` at the first signal that asks for a stop, and `onInsist` when another one comes more than a second later. The
 * returned function ends the watch.
 */
export function watchStopSignals(onStop: (signal: string) => void, onInsist: () => void): () => void {
  let firstMs: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (firstMs === undefined) {
      firstMs = nowMs;
      onStop(signal);
    } else if (nowMs - firstMs > sameWishMs) {
      onInsist();
    }
  };
  for (const signal of stopSignals) process.on(signal, listener);
  return () => {
    for (const signal of stopSignals) process.off(signal, listener);
  };
}
