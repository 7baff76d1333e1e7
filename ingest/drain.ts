import type { Readiness } from '../lib/management-server.ts';

/**
 * How long clients are asked to close their connections, with each answer, before those that say nothing are closed. Whoever sends
 * more often than this has gone by then, so hardly any request comes just when its connection ends.
 */
export const longestShedMs = 1_000;

/** What `/ready` says from the moment a stop is asked for. */
export const stoppingReadiness: Readiness = { status: 'unavailable', reasons: ['stopping'] };

/** The two parts of a drain: serving as ever until load balancers have noticed, then making clients leave. */
export function drainSteps(drainMs: number): { readonly serveMs: number; readonly shedMs: number } {
  const shedMs = Math.min(drainMs, longestShedMs);
  return { serveMs: drainMs - shedMs, shedMs };
}
