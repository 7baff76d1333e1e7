import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { IngestMetrics } from '../metrics.ts';
import { failAnswer, type Refusal, refusals } from './answers.ts';

/** Answers what never becomes a request: malformed HTTP, headers that are too large, a request that does not arrive in time. */
export class ClientErrors {
  readonly #metrics: IngestMetrics;
  /** Connections whose last request has been answered although it had not arrived whole; there are few, and mostly none. */
  #answered: WeakSet<Duplex> | undefined;

  constructor(metrics: IngestMetrics) {
    this.#metrics = metrics;
  }

  /** Says that whatever goes wrong on this connection from now on has had its answer. */
  ignore(socket: Duplex): void {
    this.#answered ??= new WeakSet();
    this.#answered.add(socket);
  }

  /** Says that a new request has begun on this connection, which has had no answer yet. */
  heed(socket: Duplex): void {
    this.#answered?.delete(socket);
  }

  answer(error: Error & { code?: string }, socket: Duplex): void {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    if (this.#answered?.has(socket) === true || !socket.writable) socket.destroy();
    else this.refuse(refusalOf(error.code), socket);
  }

  /** Answers on the bare connection, and ends it. */
  refuse(refusal: Refusal, socket: Duplex): void {
    this.#metrics.refused(refusal.reason);
    const body = failAnswer(refusal.errorInfo);
    const head = [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  }
}

function refusalOf(code: string | undefined): Refusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return refusals.headerTooLarge;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusals.tooSlow;
    default:
      return refusals.malformed;
  }
}
