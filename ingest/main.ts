import { randomUUID } from 'node:crypto';
import { systemClock } from '../lib/clock.ts';
import type { App } from '../lib/config/apps.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { KafkaSink } from '../lib/kafka/kafka-sink.ts';
import type { Logger } from '../lib/logger.ts';
import { type Readiness, startManagementServer } from '../lib/management-server.ts';
import type { RunningService } from '../lib/run-service.ts';
import { createSchemaRegistry } from '../schemas/registry.ts';
import { createIngestApp } from './app.ts';
import type { IngestConfig } from './config.ts';
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

/**
 * Starts ingest: it takes callbacks at once, and answers OK for what Kafka has acknowledged or, while Kafka is away or late, for
 * what is on its disk.
 */
export async function startIngest(config: IngestConfig, logger: Logger): Promise<RunningService> {
  const clock = systemClock;
  await using starting = new AsyncDisposableStack();

  const kafka = createKafka(config, 'imwatch-ingest', logger);
  const registry = createSchemaRegistry(config);
  const sink = new KafkaSink(kafka);
  starting.defer(() => sink.disconnect());
  const { deadlineMs } = config;
  const metrics = createIngestMetrics();
  const publishing = await startPublishing({ config, sink, registry, metrics: metrics.registry, clock, logger });
  starting.defer(() => publishing.stop(deadlineMs));
  const { publisher, batcher, spool } = publishing;
  const clockWatch = new ClockWatch();
  let connectFailure: string | undefined = 'Kafka and the schema registry have not answered yet';
  const readiness = (): Readiness =>
    readinessOf({
      way: publisher.way,
      connectFailure,
      spool,
      waitingSinceMs: batcher.waitingSinceMs,
      staleShare: clockWatch.suspiciousStaleShare(clock.monotonicMs()),
      deadlineMs,
      nowMs: clock.nowMs(),
    });
  const { managementHost: host, managementPort: port } = config;
  const management = await startManagementServer({ host, port, metrics: metrics.registry, readiness });
  starting.defer(() => management.close());

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
  return { addresses: { callbacks: url, management: management.url }, stop: () => resources.disposeAsync() };
}

function byId(apps: readonly App[]): ReadonlyMap<string, App> {
  return new Map(apps.map((app) => [String(app.sdkAppId), app]));
}
