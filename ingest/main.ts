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
import { Batcher } from './publish/batcher.ts';
import { connect } from './publish/connect.ts';
import { Publisher } from './publish/publisher.ts';
import { createTextPolicy } from './tencent/text-policy.ts';

/** Below Kafka's default of 1 MiB for a batch of one partition, with room for what Kafka adds. */
const partitionBatchBytes = 900 * 1024;
const batchBytes = 8 * 1024 * 1024;

/** How much longer than the longest that ingest itself takes a connection may be silent. */
const silenceMarginMs = 1_000;

/**
 * Starts ingest: it takes callbacks at once, answers 503 until broker and registry have answered, and then OK for what Kafka
 * has acknowledged.
 */
export async function startIngest(config: IngestConfig, logger: Logger): Promise<RunningService> {
  const clock = systemClock;
  await using starting = new AsyncDisposableStack();

  const kafka = createKafka(config, 'imwatch-ingest', logger);
  const registry = createSchemaRegistry(config);
  const sink = new KafkaSink(kafka);
  starting.defer(() => sink.disconnect());
  const limits = { partitionBytes: partitionBatchBytes, batchBytes, queueBytes: config.queueBytes };
  const batcher = new Batcher(sink, limits, clock, logger);
  const { deadlineMs, cloudEvents } = config;
  const publisher = new Publisher({ batcher, clock, deadlineMs, cloudEvents });
  starting.defer(() => withinDeadline(batcher.drained(), deadlineMs));

  const metrics = createIngestMetrics(batcher);
  const clockWatch = new ClockWatch();
  let connectFailure = 'Kafka and the schema registry have not answered yet';
  const readiness = (): Readiness =>
    publisher.isOpen
      ? openReadiness(batcher, deadlineMs, clockWatch.suspiciousStaleShare(clock.monotonicMs()), clock.nowMs())
      : { status: 'unavailable', reasons: [connectFailure] };
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
      silenceMs: config.requestTimeoutMs + deadlineMs + silenceMarginMs,
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
  const url = await app.listen({ host: config.host, port: config.port });
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
    publisher.open(destinations);
    logger.info({ topics: Array.from(destinations.values(), ({ topic }) => topic) }, 'connected to Kafka');
  });

  const resources = starting.move();
  return { addresses: { callbacks: url, management: management.url }, stop: () => resources.disposeAsync() };
}

/** Readiness once the way to Kafka is open. Unavailable takes traffic away, so it needs that nothing at all gets through. */
function openReadiness(batcher: Batcher, deadlineMs: number, staleShare: number | undefined, nowMs: number): Readiness {
  const { waitingSinceMs, lastSuccessMs } = batcher;
  const reasons: string[] = [];
  if (waitingSinceMs !== undefined && nowMs - waitingSinceMs > deadlineMs) {
    const since = new Date(waitingSinceMs).toISOString();
    if (lastSuccessMs < waitingSinceMs) {
      return { status: 'unavailable', reasons: [`Kafka has acknowledged nothing since ${since}`] };
    }
    reasons.push(`Kafka does not take the events of some partitions since ${since}`);
  }
  if (staleShare !== undefined) {
    const percent = Math.round(staleShare * 100);
    reasons.push(
      `${percent} % of the requests with a right Sign are more than 60 s off: is the clock of this host right?`,
    );
  }
  return { status: reasons.length === 0 ? 'ready' : 'degraded', reasons };
}

function byId(apps: readonly App[]): ReadonlyMap<string, App> {
  return new Map(apps.map((app) => [String(app.sdkAppId), app]));
}

/** Ends when `work` does, or after `deadlineMs`: what has not reached Kafka by then was never acknowledged. */
async function withinDeadline(work: Promise<void>, deadlineMs: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = systemClock.after(deadlineMs, late.resolve);
  await Promise.race([work, late.promise]);
  cancel();
}
