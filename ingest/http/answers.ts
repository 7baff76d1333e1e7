import type { RefusalReason } from '../metrics.ts';

/** The answer that Tencent takes for success, with what its command's answer carries beside. */
export function okAnswer(extra?: Readonly<Record<string, unknown>>): string {
  return extra === undefined ? plainOk : JSON.stringify({ ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0, ...extra });
}

const plainOk = JSON.stringify({ ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0 });

/** The same shape for everything that is refused. */
export function failAnswer(errorInfo: string): string {
  return JSON.stringify({ ActionStatus: 'FAIL', ErrorInfo: errorInfo, ErrorCode: 1 });
}

/** A request that is not taken: how it is counted and answered. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly status: number;
  readonly errorInfo: string;
}

export const refusals = {
  path: { reason: 'path', status: 404, errorInfo: 'No such path' },
  method: { reason: 'method', status: 405, errorInfo: 'Only POST is taken here' },
  source: { reason: 'source', status: 403, errorInfo: 'Requests from this address are not taken' },
  app: { reason: 'app', status: 403, errorInfo: 'SdkAppid is missing or not one that is served here' },
  repeatedParameter: { reason: 'repeated_parameter', status: 403, errorInfo: 'A query parameter is given twice' },
  proxyHeader: {
    reason: 'proxy_header',
    status: 403,
    errorInfo: 'The app has no token, so requests by a proxy or a web page are refused',
  },
  signMissing: { reason: 'sign_missing', status: 403, errorInfo: 'Sign or RequestTime is missing' },
  forged: { reason: 'forged', status: 403, errorInfo: 'Sign is wrong' },
  stale: { reason: 'stale', status: 403, errorInfo: 'RequestTime is more than 60 s away' },
  encoding: { reason: 'encoding', status: 415, errorInfo: 'Content-Encoding is not supported' },
  tooLarge: { reason: 'too_large', status: 413, errorInfo: 'The body is too large' },
  tooSlow: { reason: 'too_slow', status: 408, errorInfo: 'The request did not arrive in time' },
  headerTooLarge: { reason: 'header_too_large', status: 431, errorInfo: 'The headers are too large' },
  malformed: { reason: 'malformed', status: 400, errorInfo: 'The request is not proper HTTP' },
  notDurable: { reason: 'not_durable', status: 503, errorInfo: 'The event cannot be kept now' },
} as const satisfies Record<string, Refusal>;
