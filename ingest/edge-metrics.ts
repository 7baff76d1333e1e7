import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * Why a TLS handshake failed: the client showed no certificate that we take; it was too slow; it went away, as load balancers do that only
 * try the port; or it spoke no TLS of ours.
 */
export type HandshakeFailure = 'certificate' | 'timeout' | 'closed' | 'protocol';

/** The numbers of the network edge of ingest: connections, TLS, clocks, repeats. */
export interface EdgeMetrics {
  openConnections(count: number): void;
  connectionDropped(): void;
  handshakeFailed(reason: HandshakeFailure): void;
  tlsReloaded(outcome: 'taken' | 'refused'): void;
  certificateEnds(certificate: 'server' | 'client_ca', atMs: number): void;
  /** From where the difference of the clocks is known, in seconds; `undefined` while it is not. */
  watchClock(differenceSec: () => number | undefined): void;
  repeated(events: number): void;
}

export function createEdgeMetrics(registry: Registry): EdgeMetrics {
  const registers = [registry];
  const open = new Gauge({ name: 'ingest_connections', help: 'Open connections', registers });
  const dropped = new Counter({
    name: 'ingest_connections_dropped_total',
    help: 'Connections closed at once because INGEST_MAX_CONNECTIONS were open',
    registers,
  });
  const handshakes = new Counter({
    name: 'ingest_tls_handshake_failures_total',
    help: 'TLS handshakes that failed, by reason; closed may be a health check that only tries the port',
    labelNames: ['reason'] as const,
    registers,
  });
  const reloads = new Counter({
    name: 'ingest_tls_reloads_total',
    help: 'Changes of the TLS files while running, by outcome; refused means that the old ones serve on',
    labelNames: ['outcome'] as const,
    registers,
  });
  const ends = new Gauge({
    name: 'ingest_tls_certificate_expires_timestamp_seconds',
    help: 'When the first certificate of INGEST_TLS_CERT (server) and INGEST_TLS_CLIENT_CA (client_ca) ends',
    labelNames: ['certificate'] as const,
    aggregator: 'min',
    registers,
  });
  let difference = (): number | undefined => undefined;
  new Gauge({
    name: 'ingest_clock_difference_seconds',
    help: 'Mean of RequestTime minus the time of this host over the valid requests of the last two minutes; none: no such request',
    aggregator: 'average',
    registers,
    collect() {
      const seconds = difference();
      if (seconds === undefined) this.remove();
      else this.set(seconds);
    },
  });
  const repeats = new Counter({
    name: 'ingest_repeated_events_total',
    help: 'Durable events whose eventId had been made durable in the two minutes before: redelivered, or replayed by somebody',
    registers,
  });
  return {
    openConnections: (count) => open.set(count),
    connectionDropped: () => dropped.inc(),
    handshakeFailed: (reason) => handshakes.inc({ reason }),
    tlsReloaded: (outcome) => reloads.inc({ outcome }),
    certificateEnds: (certificate, atMs) => ends.set({ certificate }, atMs / 1000),
    watchClock: (differenceSec) => {
      difference = differenceSec;
    },
    repeated: (events) => repeats.inc(events),
  };
}
