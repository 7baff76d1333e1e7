import type { FastifyInstance } from 'fastify';
import { createIngestApp, type IngestAppOptions } from '../../ingest/app.ts';
import { ClockWatch } from '../../ingest/http/clock-watch.ts';
import { createIngestMetrics } from '../../ingest/metrics.ts';
import type { TranslatedEvent } from '../../ingest/tencent/request.ts';
import { signOf } from '../../ingest/tencent/signature.ts';
import type { App } from '../../lib/config/apps.ts';
import { silentLogger } from '../../lib/logger.ts';
import { queryString, sdkAppId, someRules } from './callbacks.ts';
import { ManualClock } from './manual-clock.ts';

export const token = 'xxxxyyyy';

const someLimits: IngestAppOptions['listen'] = {
  maxConnections: 100,
  keepAliveMs: 60_000,
  silenceMs: 60_000,
  tls: undefined,
};

/** Ingest's HTTP side with a publisher that the test watches, and a clock that it moves. */
export function anIngestApp(
  options: Partial<IngestAppOptions> & {
    readonly apps?: readonly App[];
    readonly allowUnsigned?: boolean;
    readonly limits?: Partial<IngestAppOptions['listen']>;
  } = {},
) {
  const clock = new ManualClock();
  const published: TranslatedEvent[] = [];
  const metrics = createIngestMetrics();
  const clockWatch = new ClockWatch();
  const apps = options.apps ?? [{ sdkAppId, tokens: [token] }];
  const app = createIngestApp({
    paths: ['/', '/callback'],
    admission: {
      apps: new Map(apps.map((each) => [String(each.sdkAppId), each])),
      allowUnsigned: options.allowUnsigned ?? false,
    },
    translation: someRules(),
    maxBodyBytes: 1024,
    requestTimeoutMs: 10_000,
    listen: { ...someLimits, ...options.limits },
    publish: (events) => {
      published.push(...events);
      return Promise.resolve('kafka' as const);
    },
    metrics,
    clockWatch,
    clock,
    logger: silentLogger,
    ...options,
  });
  return { app, clock, clockWatch, metrics, published };
}

/** Path and query of a request signed at `nowMs`. */
export function signedUrl(
  command: string | undefined,
  nowMs: number,
  more: Readonly<Record<string, string>> = {},
): string {
  const requestTimeSec = Math.floor(nowMs / 1000);
  const sign = { Sign: signOf(token, requestTimeSec), RequestTime: String(requestTimeSec) };
  return `/?${queryString(command, { ...sign, ...more })}`;
}

/** The value of a metric with these labels, 0 when it was never counted. */
export async function metricOf(
  metrics: ReturnType<typeof createIngestMetrics>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const metric = await metrics.registry.getSingleMetric(name)?.get();
  const found = metric?.values.find((value) =>
    Object.entries(labels).every(([label, text]) => value.labels[label] === text),
  );
  return found?.value ?? 0;
}

/** Port of 127.0.0.1 on which `app` listens from now on. */
export async function listening(app: FastifyInstance): Promise<{ port: number }> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('The app does not listen on a port');
  return { port: address.port };
}
