import Fastify from 'fastify';
import type { Registry } from 'prom-client';
import { integer, type Setting, text } from './config/setting.ts';

/** What `/ready` tells: `unavailable` answers 503, the others 200, so that a degraded instance keeps its traffic. */
export interface Readiness {
  readonly status: 'ready' | 'degraded' | 'unavailable';
  /** Why it is not simply ready, a sentence each. */
  readonly reasons: readonly string[];
}

export const managementSettings = {
  managementHost: text('IMWATCH_MANAGEMENT_HOST', {
    help: 'Address on which a service answers /live, /ready and /metrics.',
    default: '127.0.0.1',
  }),
};

/** The setting of one service's management port. */
export function managementPort(name: string, fallback: number): Setting<number> {
  return integer(name, { help: 'Port of /live, /ready and /metrics.', default: fallback, min: 0, max: 65_535 });
}

export interface ManagementServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `/live`, `/ready` and `/metrics` of one service on a port of its own; port 0 takes a free one. */
export async function startManagementServer(options: {
  readonly host: string;
  readonly port: number;
  readonly metrics: Pick<Registry, 'contentType' | 'metrics'>;
  readonly readiness: () => Readiness | Promise<Readiness>;
  /** Why the service should be started again; `undefined` when it makes progress. */
  readonly stuckBecause?: () => string | undefined;
}): Promise<ManagementServer> {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.get('/live', (_request, reply) => {
    const reason = options.stuckBecause?.();
    return reason === undefined ? { status: 'live' } : reply.code(503).send({ status: 'stuck', reason });
  });
  app.get('/ready', async (_request, reply) => {
    const readiness = await options.readiness();
    return reply.code(readiness.status === 'unavailable' ? 503 : 200).send(readiness);
  });
  app.get('/metrics', async (_request, reply) => {
    reply.type(options.metrics.contentType);
    return options.metrics.metrics();
  });
  const url = await app.listen({ host: options.host, port: options.port });
  return { url, close: () => app.close() };
}
