import type { Readiness } from '../lib/management-server.ts';

/**
 * How long connections are left open at most after the last one was taken, while each answer asks its client to close its own. Whoever
 * sends more often than this has gone by then, so hardly any request comes just when its connection ends: of N connections, used r
 * times a second each, N * r * (round trip) * e^(-r * this) requests on the average.
 */
export const longestShedMs = 3_000;

/** What `/ready` says from the moment a stop is asked for. */
export const stoppingReadiness: Readiness = { status: 'unavailable', reasons: ['stopping'] };

/** How long connections are left open at most at the end of a drain: not at all where nothing is to be waited for. */
export function shedMsOf({ drainMs }: { readonly drainMs: number }): number {
  return Math.min(drainMs, longestShedMs);
}
