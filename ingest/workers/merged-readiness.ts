import type { Readiness } from '../../lib/management-server.ts';

/** What is known of the process of a slot. */
export interface WorkerState {
  readonly number: number;
  /** `missing`: there is none, or it is still starting. `silent`: it does not answer. */
  readonly readiness: Readiness | 'missing' | 'silent';
}

/**
 * Readiness of several processes as one: unavailable takes traffic away, so it needs that none of them can keep callbacks. Reasons
 * name the worker.
 */
export function mergeReadiness(workers: readonly WorkerState[]): Readiness {
  const reasons = workers.flatMap(({ number, readiness }) => {
    if (readiness === 'missing') return [`worker ${number} does not run`];
    if (readiness === 'silent') return [`worker ${number} does not answer`];
    return readiness.reasons.map((reason) => `worker ${number}: ${reason}`);
  });
  const takesEvents = workers.some(
    ({ readiness }) => typeof readiness === 'object' && readiness.status !== 'unavailable',
  );
  if (!takesEvents) return { status: 'unavailable', reasons };
  const isReady = workers.every(({ readiness }) => typeof readiness === 'object' && readiness.status === 'ready');
  return { status: isReady ? 'ready' : 'degraded', reasons };
}
