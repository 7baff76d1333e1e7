import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import { sleep, systemClock } from '../lib/clock.ts';
import type { App } from '../lib/config/apps.ts';
import { clusterOptions, createKafka } from '../lib/kafka/client.ts';
import { KafkaSink } from '../lib/kafka/kafka-sink.ts';
import { IdempotentSink } from '../lib/kafka/produce/sink.ts';
import type { Logger } from '../lib/logger.ts';
import { type Readiness, startManagementServer } from '../lib/management-server.ts';
import type { RunningService } from '../lib/run-service.ts';
import { createSchemaRegistry } from '../schemas/registry.ts';
import { createIngestApp } from './app.ts';
import type { IngestConfig } from './config.ts';
import { shedMsOf, stoppingReadiness } from './drain.ts';
import { startForwarding } from './forward/start.ts';
import { ClockWatch } from './http/clock-watch.ts';
import { checkTls, readTlsTextsSync } from './listen/certificate.ts';
import { watchCertificates } from './listen/certificate-watch.ts';
import { createIngestMetrics } from './metrics.ts';
import { connect } from './publish/connect.ts';
import { startPublishing } from './publish/start.ts';
import { readinessOf } from './readiness.ts';
import { createTextPolicy } from './tencent/text-policy.ts';

/** How much longer than the longest that ingest itself takes a connection may be silent. */
const silenceMarginMs = 1_000;

const clientId = 'imwatch-ingest';

/** Ingest as one process, or as one of several. */
export interface RunningIngest extends RunningService {
  readonly metrics: Registry;
  readonly readiness: () => Readiness;
  drain(): Promise<void>;
  /** Takes no new connections, asks clients with each answer to close theirs, and resolves when they have, or `forMs` later. */
  shedConnections(forMs: number): Promise<void>;
  /** Takes over what processes that have ended have left in the spool. */
  adopt(): Promise<void>;
}

/**
 * Starts ingest: it takes callbacks at once, and answers OK for what Kafka has acknowledged or, while Kafka is away or late, for
 * what is on its disk.
 *
 * @param hasManagement false where somebody else answers `/live`, `/ready` and `/metrics` for it.
 */
export async function startIngest(config: IngestConfig, logger: Logger, hasManagement = true): Promise<RunningIngest> {
  const clock = systemClock;
  await using starting = new AsyncDisposableStack();

  const kafka = createKafka(config, clientId, logger);
  const registry = createSchemaRegistry(config);
  const sink =
    config.producer === 'kafkajs' ? new KafkaSink(kafka) : new IdempotentSink(clusterOptions(config, clientId));
  starting.defer(() => sink.disconnect());
  const { deadlineMs } = config;
  const metrics = createIngestMetrics();
  const publishing = await startPublishing({ config, sink, registry, metrics: metrics.registry, clock, logger });
  starting.defer(() => publishing.stop(deadlineMs));
  const { publisher, batcher, spool } = publishing;
  const clockWatch = new ClockWatch();
  let connectFailure: string | undefined = 'Kafka and the schema registry have not answered yet';
  let isDraining = false;
  const readiness = (): Readiness => {
    if (isDraining) return stoppingReadiness;
    return readinessOf({
      way: publisher.way,
      connectFailure,
      spool,
      waitingSinceMs: batcher.waitingSinceMs,
      staleShare: clockWatch.suspiciousStaleShare(clock.monotonicMs()),
      deadlineMs,
      nowMs: clock.nowMs(),
    });
  };
  const { managementHost: host, managementPort: port } = config;
  const management = hasManagement
    ? await startManagementServer({ host, port, metrics: metrics.registry, readiness })
    : undefined;
  starting.defer(() => management?.close());

  const forwarding = startForwarding(config, metrics.registry, clock, logger);
  starting.defer(() => forwarding?.stop(deadlineMs));

  const { tlsFiles: files } = config;
  const texts = files === undefined ? undefined : readTlsTextsSync(files);
  const app = createIngestApp({
    paths: [...new Set(['/', '/callback', ...(config.path === undefined ? [] : [config.path])])],
    admission: {
      apps: byId(config.appList),
      allowUnsigned: config.allowUnsigned,
      allowedSources: config.allowedSources,
    },
    trustedProxies: config.trustedProxies,
    listen: {
      maxConnections: config.maxConnections,
      keepAliveMs: config.keepAliveMs,
      silenceMs: config.requestTimeoutMs + Math.max(deadlineMs, config.forwardDeadlineMs) + silenceMarginMs,
      tls: texts === undefined ? undefined : checkTls(texts),
    },
    translation: {
      texts: createTextPolicy(config.textMode, config.idSecret),
      idSecret: config.idSecret,
      answers: config.beforeAnswers ?? new Map(),
      random: randomUUID,
    },
    maxBodyBytes: config.maxBodyBytes,
    requestTimeoutMs: config.requestTimeoutMs,
    publish: (events, traceparent) => publisher.publish(events, traceparent),
    forwarder: forwarding?.forwarder,
    metrics,
    clockWatch,
    clock,
    logger,
  });
  // As many as are allowed may come at once: one that finds no room is tried again by its client's system after 1 s and 3 s.
  const url = await app.listen({ host: config.host, port: config.port, backlog: config.maxConnections });
  starting.defer(() => app.close());
  if (files !== undefined && texts !== undefined) {
    const onChange = app.useCertificates;
    starting.defer(watchCertificates({ files, texts, onChange, metrics: metrics.edge, clock, logger }));
  }

  const stopping = new AbortController();
  starting.defer(() => stopping.abort());
  const onFailure = (reason: string): void => {
    connectFailure = reason;
  };
  const { signal } = stopping;
  void connect({ kafka, sink, registry, values: config, clock, logger, onFailure, signal }).then((destinations) => {
    if (destinations === undefined) return;
    connectFailure = undefined;
    publisher.open(destinations);
    logger.info({ topics: Array.from(destinations.values(), ({ topic }) => topic) }, 'connected to Kafka');
  });

  const resources = starting.move();
  return {
    addresses: { callbacks: url, ...(management !== undefined && { management: management.url }) },
    metrics: metrics.registry,
    readiness,
    drain: async () => {
      isDraining = true;
      await sleep(clock, config.drainMs);
      await app.shedConnections(shedMsOf(config));
    },
    shedConnections: (forMs) => app.shedConnections(forMs),
    adopt: publishing.adopt,
    stop: () => resources.disposeAsync(),
  };
}

function byId(apps: readonly App[]): ReadonlyMap<string, App> {
  return new Map(apps.map((app) => [String(app.sdkAppId), app]));
}
