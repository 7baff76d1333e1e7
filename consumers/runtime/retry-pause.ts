const firstPauseMs = 50;
const longestPauseMs = 5_000;

/**
 * How long to wait before trying again: a random part (full jitter) of a span that doubles from 50 ms to 5 s.
 *
 * @param attempt failures so far, from 0.
 */
export function retryPauseMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 16));
}
