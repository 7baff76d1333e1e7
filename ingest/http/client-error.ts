import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { IngestMetrics } from '../metrics.ts';
import { failAnswer, refusals } from './answers.ts';

/** Answers what never became a request: malformed HTTP, headers that are too large, a request that did not arrive in time. */
export function answerClientError(error: Error & { code?: string }, socket: Socket, metrics: IngestMetrics): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const refusal = refusalOf(error.code);
  metrics.refused(refusal.reason);
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = failAnswer(refusal.errorInfo);
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function refusalOf(code: string | undefined) {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return refusals.headerTooLarge;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refusals.tooSlow;
    default:
      return refusals.malformed;
  }
}
