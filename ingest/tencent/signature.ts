import { hash, timingSafeEqual } from 'node:crypto';

/** Tencent refuses requests older than a minute ("相差超过1分钟"), we do so in either direction. */
export const maxClockDifferenceSec = 60;

const signPattern = /^[0-9a-f]{64}$/i;
const requestTimePattern = /^\d{1,16}$/;

export interface SignedRequest {
  readonly sign: string | undefined;
  /** Unix seconds, as received. */
  readonly requestTime: string | undefined;
}

/**
 * Whether `Sign` is sha256(token + RequestTime) for one of `tokens` and RequestTime is near `nowMs`.
 *
 * `stale` means a right `Sign` with a RequestTime more than 60 whole seconds away: a replay, or a clock that is wrong. Takes
 * the same time whichever token fits and wherever a wrong `Sign` differs. `Sign` covers neither the body nor the rest of the
 * query.
 *
 * @see https://cloud.tencent.com/document/product/269/32431
 */
export function checkSign(
  request: SignedRequest,
  tokens: readonly string[],
  nowMs: number,
): 'valid' | 'stale' | 'forged' | 'missing' {
  const { sign, requestTime } = request;
  if (sign === undefined || requestTime === undefined) return 'missing';
  if (!signPattern.test(sign) || !requestTimePattern.test(requestTime)) return 'forged';
  const received = Buffer.from(sign, 'hex');
  let fits = false;
  for (const token of tokens) {
    if (timingSafeEqual(received, hash('sha256', token + requestTime, 'buffer'))) fits = true;
  }
  if (!fits) return 'forged';
  const differenceSec = Math.abs(Math.floor(nowMs / 1000) - Number(requestTime));
  return differenceSec <= maxClockDifferenceSec ? 'valid' : 'stale';
}

/** `Sign` of a request made at `requestTimeSec` (Unix seconds): 64 lower-case hexadecimal digits. */
export function signOf(token: string, requestTimeSec: number): string {
  return hash('sha256', `${token}${requestTimeSec}`);
}
