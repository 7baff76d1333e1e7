import type { Readiness } from '../lib/management-server.ts';

export interface IngestState {
  /** Where new events go. */
  readonly way: 'kafka' | 'disk';
  /** Why Kafka and the registry have not answered since the start; `undefined` when they have. */
  readonly connectFailure: string | undefined;
  readonly spool: {
    readonly bytes: number;
    readonly oldestMs: number | undefined;
    readonly refusal: string | undefined;
  };
  /** Since when the record that waits longest for Kafka has been waiting, in epoch milliseconds. */
  readonly waitingSinceMs: number | undefined;
  /** Share of stale requests, when it is suspicious. */
  readonly staleShare: number | undefined;
  readonly deadlineMs: number;
  readonly nowMs: number;
}

/**
 * Readiness of ingest. Unavailable takes traffic away, so it needs that nothing can be kept: neither Kafka nor the disk takes
 * events. Degraded says that something is odd and callbacks are still kept.
 */
export function readinessOf(state: IngestState): Readiness {
  const { way, spool, waitingSinceMs, staleShare, deadlineMs, nowMs } = state;
  const reasons: string[] = [];
  if (way === 'disk') {
    const why = state.connectFailure ?? 'Kafka has not taken events in time';
    const since = spool.oldestMs === undefined ? '' : ` since ${new Date(spool.oldestMs).toISOString()}`;
    reasons.push(`Events are kept on disk${since} (${spool.bytes} bytes): ${why}`);
    if (spool.refusal !== undefined) return { status: 'unavailable', reasons: [...reasons, spool.refusal] };
  } else if (waitingSinceMs !== undefined && nowMs - waitingSinceMs > deadlineMs) {
    reasons.push(`Kafka does not take the events of some partitions since ${new Date(waitingSinceMs).toISOString()}`);
  }
  if (staleShare !== undefined) {
    const percent = Math.round(staleShare * 100);
    reasons.push(
      `${percent} % of the requests with a right Sign are more than 60 s off: is the clock of this host right?`,
    );
  }
  return { status: reasons.length === 0 ? 'ready' : 'degraded', reasons };
}
