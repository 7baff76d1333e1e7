import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '../../lib/logger.ts';
import type { EdgeMetrics, HandshakeFailure } from '../edge-metrics.ts';
import type { UsableTls } from './certificate.ts';
import { Connections } from './connections.ts';

export interface ListenOptions {
  /** Time within which a request, headers and body, must have arrived whole, and a TLS handshake be done. */
  readonly requestTimeoutMs: number;
  /** Time after an answer at which a connection without a further request is closed. */
  readonly keepAliveMs: number;
  /** Time without a byte in either direction at which a connection is closed: the client does not take its answer. */
  readonly silenceMs: number;
  /** Connections above this are closed at once. */
  readonly maxConnections: number;
  /** Certificates; `undefined`: plain HTTP. */
  readonly tls: UsableTls | undefined;
}

/** What becomes of what is no request. */
export interface SocketListeners {
  readonly onClientError: (error: Error & { code?: string }, socket: Duplex) => void;
  readonly onConnect: (socket: Duplex) => void;
}

type AnyServer = http.Server | https.Server;

/** How often connections are looked at for time-outs. */
const connectionsCheckingIntervalMs = 500;

/** The HTTP servers of one app, one for each address that it listens on. */
export class IngestServers {
  readonly #options: ListenOptions;
  readonly #listeners: SocketListeners;
  readonly #metrics: EdgeMetrics;
  readonly #logger: Logger;
  readonly #connections: Connections;
  readonly #servers: AnyServer[] = [];
  readonly #secure: https.Server[] = [];
  #tls: UsableTls | undefined;

  constructor(options: ListenOptions, listeners: SocketListeners, metrics: EdgeMetrics, logger: Logger) {
    this.#options = options;
    this.#listeners = listeners;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#connections = new Connections(metrics);
    this.#tls = options.tls;
    if (options.tls !== undefined) this.#tell(options.tls);
  }

  create(handler: RequestListener): AnyServer {
    const { requestTimeoutMs, keepAliveMs, silenceMs, maxConnections } = this.#options;
    const common = {
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: connectionsCheckingIntervalMs,
      requireHostHeader: false,
    };
    const server =
      this.#tls === undefined
        ? http.createServer(common, handler)
        : this.#secured(https.createServer({ ...common, ...this.#tls.context, ...this.#handshake() }, handler));
    server.timeout = silenceMs;
    server.maxConnections = maxConnections;
    // In one of several processes Node would else offer such a connection to the others, round and round while all are full.
    Object.assign(server, { dropMaxConnection: true });
    server.on('clientError', this.#listeners.onClientError);
    server.on('connect', (_request: IncomingMessage, socket: Duplex) => this.#listeners.onConnect(socket));
    // An expectation that we do not know is none of our business.
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => handler(request, response));
    this.#connections.watch(server);
    this.#servers.push(server);
    return server;
  }

  /** Serves new connections with these certificates from now on; those that are open keep theirs. */
  useCertificates(tls: UsableTls): void {
    this.#tls = tls;
    for (const server of this.#secure) server.setSecureContext(tls.context);
    this.#tell(tls);
  }

  get hasConnections(): boolean {
    return !this.#connections.isEmpty;
  }

  /**
   * Takes no new connections, leaves those that there are, and resolves when all of them have ended. The close of an HTTP server would
   * at once end those on which nothing has come yet, with a request on its way.
   */
  stopAccepting(): Promise<void> {
    for (const server of this.#servers) if (server.listening) net.Server.prototype.close.call(server);
    return this.#connections.empty();
  }

  /** Ends every connection, whatever it is doing. */
  destroyConnections(): void {
    this.#connections.destroyAll();
  }

  #handshake(): https.ServerOptions {
    return {
      handshakeTimeout: this.#options.requestTimeoutMs,
      requestCert: this.#tls?.context.ca !== undefined,
      rejectUnauthorized: true,
    };
  }

  #secured(server: https.Server): https.Server {
    // Node's own listener would have a failed handshake answered as if it were a malformed request.
    server.removeAllListeners('tlsClientError');
    server.on('tlsClientError', (error: Error & { code?: string }, socket: TLSSocket) => {
      const reason = handshakeFailure(error.code, socket.authorizationError);
      this.#metrics.handshakeFailed(reason);
      const detail = socket.authorizationError ?? error.code;
      this.#logger.debug({ reason, detail, remote: socket.remoteAddress }, 'TLS handshake failed');
      socket.destroy();
    });
    this.#secure.push(server);
    return server;
  }

  #tell(tls: UsableTls): void {
    for (const [role, atMs] of tls.endsAtMs) this.#metrics.certificateEnds(role, atMs);
  }
}

function handshakeFailure(code: string | undefined, authorizationError: unknown): HandshakeFailure {
  if (authorizationError !== undefined && authorizationError !== null) return 'certificate';
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'certificate';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  return code === 'ECONNRESET' ? 'closed' : 'protocol';
}
