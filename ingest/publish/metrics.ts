import { Counter, Gauge, type Registry } from 'prom-client';

export interface PublishMetrics {
  drained(records: number): void;
  quarantined(): void;
}

/** The numbers of the queue in front of Kafka, and of the spool. */
export function createPublishMetrics(
  registry: Registry,
  queue: { readonly queuedRecords: number; readonly queuedBytes: number },
  spool: {
    readonly bytes: number;
    readonly maxBytes: number;
    readonly oldestMs: number | undefined;
    readonly spooledRecords: number;
  },
  nowMs: () => number,
): PublishMetrics {
  const registers = [registry];
  new Gauge({
    name: 'ingest_queue_records',
    help: 'Records that wait for Kafka',
    registers,
    collect() {
      this.set(queue.queuedRecords);
    },
  });
  new Gauge({
    name: 'ingest_queue_bytes',
    help: 'Encoded bytes that wait for Kafka or are in flight',
    registers,
    collect() {
      this.set(queue.queuedBytes);
    },
  });
  new Gauge({
    name: 'ingest_spool_bytes',
    help: 'Bytes on the disk that wait for Kafka',
    registers,
    collect() {
      this.set(spool.bytes);
    },
  });
  new Gauge({
    name: 'ingest_spool_limit_bytes',
    help: 'Bytes at which the spool is full (INGEST_SPOOL_BYTES)',
    registers,
    collect() {
      this.set(spool.maxBytes);
    },
  });
  new Gauge({
    name: 'ingest_spool_oldest_age_seconds',
    help: 'How long the oldest event in the spool has been waiting; 0 when there is none',
    aggregator: 'max',
    registers,
    collect() {
      this.set(spool.oldestMs === undefined ? 0 : Math.max(0, nowMs() - spool.oldestMs) / 1000);
    },
  });
  new Counter({
    name: 'ingest_spooled_total',
    help: 'Records that were written to the spool, because Kafka did not take them in time',
    registers,
    collect() {
      this.reset();
      this.inc(spool.spooledRecords);
    },
  });
  const drained = new Counter({
    name: 'ingest_spool_drained_total',
    help: 'Records of the spool that Kafka has acknowledged',
    registers,
  });
  const quarantined = new Counter({
    name: 'ingest_quarantined_total',
    help: 'Records that Kafka refuses for good, and damaged parts of the spool; they lie in the folder quarantine',
    registers,
  });
  return { drained: (records) => drained.inc(records), quarantined: () => quarantined.inc() };
}
