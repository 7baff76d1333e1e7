import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { Tally } from '../lib/tally.ts';
import type { TopicId } from '../schemas/topics.ts';
import { createEdgeMetrics, type EdgeMetrics } from './edge-metrics.ts';

/** Why a request was refused; one of them a refusal. */
export type RefusalReason =
  | 'path'
  | 'method'
  | 'source'
  | 'app'
  | 'repeated_parameter'
  | 'proxy_header'
  | 'sign_missing'
  | 'forged'
  | 'stale'
  | 'encoding'
  | 'too_large'
  | 'too_slow'
  | 'header_too_large'
  | 'malformed'
  | 'not_durable';

/** The counters of ingest. Labels come from closed lists; a command without a row counts as "other". */
export interface IngestMetrics {
  readonly registry: Registry;
  readonly edge: EdgeMetrics;
  answered(durable: 'kafka' | 'disk' | 'none', seconds: number): void;
  urlChecked(): void;
  emptyBatch(): void;
  event(topic: TopicId, command: string): void;
  deadLetter(reason: string): void;
  refused(reason: RefusalReason): void;
}

export function createIngestMetrics(): IngestMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const answers = new Tally({
    name: 'ingest_answers_total',
    help: 'Authentic callbacks answered, by where their events were durable by then (kafka, disk); none means 503 and may be a loss',
    labelNames: ['durable'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'ingest_answer_seconds',
    help: 'Time from the end of the headers to the answer of an authentic callback',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.2, 2],
    registers,
  });
  // Asked for once: each call on the histogram itself makes it anew.
  const { observe: observeSeconds } = seconds.labels();
  const events = new Tally({
    name: 'ingest_events_total',
    help: 'Events that are durable, by topic and command',
    labelNames: ['topic', 'command'] as const,
    registers,
  });
  const deadLetters = new Counter({
    name: 'ingest_dead_letters_total',
    help: 'Dead letters that are durable, by reason',
    labelNames: ['reason'] as const,
    registers,
  });
  const refusals = new Counter({
    name: 'ingest_refused_total',
    help: 'Requests refused, by reason; stale means a right Sign with a RequestTime over 60 s away, so perhaps a wrong clock',
    labelNames: ['reason'] as const,
    registers,
  });
  const urlChecks = new Counter({
    name: 'ingest_url_checks_total',
    help: 'Requests with an empty body or {}, as the console sends to check the address',
    registers,
  });
  const emptyBatches = new Counter({ name: 'ingest_empty_batches_total', help: 'Batches without items', registers });
  return {
    registry,
    edge: createEdgeMetrics(registry),
    answered: (durable, tookSeconds) => {
      answers.count(durable);
      observeSeconds(tookSeconds);
    },
    urlChecked: () => urlChecks.inc(),
    emptyBatch: () => emptyBatches.inc(),
    event: (topic, command) => events.count(topic, command),
    deadLetter: (reason) => deadLetters.inc({ reason }),
    refused: (reason) => refusals.inc({ reason }),
  };
}
