import type { Duplex } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { AddressList } from '../lib/address-list.ts';
import type { App } from '../lib/config/apps.ts';
import { relayedHeader } from './forward/backend.ts';
import { type AdmissionRules, createAdmission } from './http/admit.ts';
import { failAnswer, type Refusal, refusals } from './http/answers.ts';
import { Arrivals } from './http/arrivals.ts';
import { type Arrival, type CallbackHandlerOptions, createCallbackHandler } from './http/callback-handler.ts';
import { ClientErrors } from './http/client-error.ts';
import type { ClockWatch } from './http/clock-watch.ts';
import type { UsableTls } from './listen/certificate.ts';
import { IngestServers, type ListenOptions } from './listen/servers.ts';
import { type CallbackQuery, parseQuery } from './tencent/query.ts';
import type { CallbackRequest } from './tencent/request.ts';

export interface IngestAppOptions extends CallbackHandlerOptions {
  /** Paths on which callbacks are taken. */
  readonly paths: readonly string[];
  readonly admission: AdmissionRules;
  readonly maxBodyBytes: number;
  readonly requestTimeoutMs: number;
  readonly listen: Omit<ListenOptions, 'requestTimeoutMs'>;
  /** Proxies whose `X-Forwarded-For` is believed; `undefined`: none. */
  readonly trustedProxies?: AddressList | undefined;
  readonly clockWatch: ClockWatch;
}

export interface IngestApp extends FastifyInstance {
  /** Serves new connections with these certificates from now on. */
  useCertificates(tls: UsableTls): void;
  /**
   * Takes no new connections, and asks every client with its next answer to close its own. Closes none by itself: a request that is on
   * its way on one of them is answered. Resolves when all have ended, or `forMs` later.
   */
  shedConnections(forMs: number): Promise<void>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The app that an admitted request speaks for. */
    sender: App | undefined;
    /** Epoch milliseconds when the headers were complete. */
    receivedAtMs: number;
    /** The same moment by the monotonic clock. */
    startedMs: number;
  }
}

/** A callback whose body has come whole. */
interface Arrived {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly callback: CallbackRequest;
  readonly arrival: Arrival;
}

const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Longer than Tencent waits for an answer: who has not had one by then after a stop has begun is cut off. */
const stopGraceMs = 3_000;

/**
 * Ingest's HTTP side, without a port: `POST` on each of `paths`.
 *
 * Order of checks: path, method, source, app, signature, encoding, size; the body is read only after the signature. Every answer has
 * Tencent's JSON shape. No query string and no body reaches the log.
 */
export function createIngestApp(options: IngestAppOptions): IngestApp {
  const { metrics, clock, clockWatch, logger, requestTimeoutMs, trustedProxies } = options;
  const paths = new Set(options.paths);
  const admit = createAdmission(options.admission);
  const handle = createCallbackHandler(options);
  const arrivals = new Arrivals<Arrived>(clock, (arrived) => arrived.forEach(answer));
  const clientErrors = new ClientErrors(metrics);
  const socketListeners = {
    onClientError: (error: Error & { code?: string }, socket: Duplex) => clientErrors.answer(error, socket),
    onConnect: (socket: Duplex) => clientErrors.refuse(refusals.method, socket),
  };
  const servers = new IngestServers({ requestTimeoutMs, ...options.listen }, socketListeners, metrics.edge, logger);
  metrics.edge.watchClock(() => clockWatch.meanDifferenceSec(clock.monotonicMs()));
  let closing = false;

  const app = Fastify({
    logger: false,
    bodyLimit: options.maxBodyBytes,
    serverFactory: (handler) => servers.create(handler),
    // What Fastify makes of it is the scheme of its address; the server is ours.
    ...(options.listen.tls !== undefined && { https: {} }),
    ...(trustedProxies !== undefined && { trustProxy: (address: string) => trustedProxies.has(address) }),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { querystringParser: parseQuery as unknown as (text: string) => Record<string, unknown> },
    frameworkErrors: (_error, request, reply) => {
      refuse(request as FastifyRequest, reply as FastifyReply, refusals.malformed);
    },
    // Each server has a listener of its own.
    clientErrorHandler: () => undefined,
  });

  app.decorateRequest('sender', undefined);
  app.decorateRequest('receivedAtMs', 0);
  app.decorateRequest('startedMs', 0);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  // Kept-alive connections would keep a stopping server open: the answer to the last request of each ends it.
  app.addHook('preClose', (done) => {
    closing = true;
    if (app.server.listening || servers.hasConnections)
      app.server.once(
        'close',
        clock.after(stopGraceMs, () => servers.destroyConnections()),
      );
    done();
  });
  app.addHook('onRequest', (request, reply, next) => {
    clientErrors.heed(request.raw.socket);
    request.receivedAtMs = clock.nowMs();
    request.startedMs = clock.monotonicMs();
    const refusal = refusalOf(request, reply);
    if (refusal === undefined) next();
    else refuse(request, reply, refusal);
  });

  for (const path of paths) {
    // Not async: what Fastify does for handlers that return a promise costs more than the handler.
    app.post(path, (request, reply) => {
      const { sender, receivedAtMs, startedMs } = request;
      if (sender === undefined) throw new Error('A request reached the handler without being admitted');
      const callback: CallbackRequest = {
        sdkAppId: sender.sdkAppId,
        query: queryOf(request),
        queryString: queryStringOf(request),
        body: (request.body as Buffer | undefined) ?? emptyBody,
        receivedAtMs,
      };
      const arrival = {
        startedMs,
        remoteAddress: request.ip,
        traceparent: traceparentOf(request),
        isRelayed: request.headers[relayedHeader] !== undefined,
      };
      arrivals.add({ request, reply, callback, arrival });
    });
  }

  app.setErrorHandler((error: Error & { code?: string }, request, reply) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse(request, reply, refusals.tooLarge);
    if (error.code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH' || error.code === 'ECONNRESET') {
      return refuse(request, reply, refusals.malformed);
    }
    logger.error({ err: error }, 'unexpected error while answering');
    return send(reply, 500, failAnswer('Internal error'));
  });

  function answer({ request, reply, callback, arrival }: Arrived): void {
    handle(callback, arrival).then(
      (handled) => {
        if ('refusal' in handled) refuse(request, reply, handled.refusal);
        else send(reply, 200, handled.body);
      },
      (error: unknown) => reply.send(error),
    );
  }

  /** Why the body of `request` is not even read; otherwise the request is admitted and its sender known. */
  function refusalOf(request: FastifyRequest, reply: FastifyReply): Refusal | undefined {
    if (request.is404) {
      if (!paths.has(pathOf(request))) return refusals.path;
      reply.header('allow', 'POST');
      return refusals.method;
    }
    const admission = admit(request.ip, queryOf(request), request.headers, request.receivedAtMs);
    if ('refusal' in admission) {
      if (admission.refusal === refusals.stale) clockWatch.countStale(request.startedMs);
      return admission.refusal;
    }
    if (admission.app.tokens.length > 0) clockWatch.countValid(secondsAhead(request), request.startedMs);
    request.sender = admission.app;
    // The body is JSON whatever the header says, and Fastify would refuse a header that it cannot parse.
    request.raw.headers['content-type'] = undefined;
    return undefined;
  }

  function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
    metrics.refused(refusal.reason);
    const { status, reason } = refusal;
    logger.debug({ status, reason, method: request.method, path: pathOf(request), remote: request.ip }, 'refused');
    return send(reply, status, failAnswer(refusal.errorInfo));
  }

  function send(reply: FastifyReply, status: number, body: string): FastifyReply {
    if (closing) reply.header('connection', 'close');
    // What is answered before it has arrived whole may still run into a time-out, which is no answer of its own.
    const { raw } = reply.request;
    if (!raw.complete) reply.raw.once('finish', () => clientErrors.ignore(raw.socket));
    return reply.code(status).header('content-type', 'application/json').send(body);
  }

  return Object.assign(app, {
    useCertificates: (tls: UsableTls) => servers.useCertificates(tls),
    shedConnections: async (forMs: number) => {
      closing = true;
      const over = Promise.withResolvers<void>();
      const cancel = clock.after(forMs, over.resolve);
      await Promise.race([servers.stopAccepting(), over.promise]);
      cancel();
    },
  });
}

const emptyBody = Buffer.alloc(0);

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

function queryStringOf(request: FastifyRequest): string {
  const at = request.url.indexOf('?');
  return at < 0 ? '' : request.url.slice(at + 1);
}

function queryOf(request: FastifyRequest): CallbackQuery {
  return request.query as unknown as CallbackQuery;
}

/** How far the RequestTime of an admitted request is ahead of our time. */
function secondsAhead(request: FastifyRequest): number {
  return Number(queryOf(request).requestTime) - request.receivedAtMs / 1000;
}

function traceparentOf(request: FastifyRequest): string | undefined {
  const value = request.headers['traceparent'];
  return typeof value === 'string' && traceparentPattern.test(value) ? value : undefined;
}
