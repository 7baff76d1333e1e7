import { hash, timingSafeEqual } from 'node:crypto';

/** Tencent refuses requests older than a minute ("相差超过1分钟"), we do so in either direction. */
export const maxClockDifferenceSec = 60;

/** Bytes of a SHA-256. */
const digestBytes = 32;
const requestTimePattern = /^\d{1,16}$/;

export interface SignedRequest {
  readonly sign: string | undefined;
  /** Unix seconds, as received. */
  readonly requestTime: string | undefined;
}

/** What may be said of a request by its `Sign`. */
export type SignCheck = 'valid' | 'stale' | 'forged' | 'missing';

/** More different seconds than requests that are near the present may have. */
const rememberedTimes = 4 * maxClockDifferenceSec;

/**
 * Checks the requests of one app. Remembers the right `Sign` of the last times that were asked for, as the requests of one second have the
 * same.
 *
 * @see https://cloud.tencent.com/document/product/269/32431
 */
export class SignatureCheck {
  readonly #tokens: readonly string[];
  /** The right digests by RequestTime, one for each token. */
  readonly #digests = new Map<string, readonly Buffer[]>();
  readonly #received = Buffer.alloc(digestBytes);

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  /**
   * Whether `Sign` is sha256(token + RequestTime) for one of the tokens and RequestTime is near `nowMs`.
   *
   * `stale` means a right `Sign` with a RequestTime more than 60 whole seconds away: a replay, or a clock that is wrong. Takes
   * the same time whichever token fits and wherever a wrong `Sign` differs. `Sign` covers neither the body nor the rest of the
   * query.
   */
  check({ sign, requestTime }: SignedRequest, nowMs: number): SignCheck {
    if (sign === undefined || requestTime === undefined) return 'missing';
    if (sign.length !== 2 * digestBytes || !requestTimePattern.test(requestTime)) return 'forged';
    // Fewer bytes are written when a character is no hexadecimal digit.
    if (this.#received.write(sign, 'hex') !== digestBytes) return 'forged';
    let fits = false;
    for (const digest of this.#digestsOf(requestTime)) if (timingSafeEqual(this.#received, digest)) fits = true;
    if (!fits) return 'forged';
    const differenceSec = Math.abs(Math.floor(nowMs / 1000) - Number(requestTime));
    return differenceSec <= maxClockDifferenceSec ? 'valid' : 'stale';
  }

  #digestsOf(requestTime: string): readonly Buffer[] {
    const known = this.#digests.get(requestTime);
    if (known !== undefined) return known;
    const digests = this.#tokens.map((token) => hash('sha256', token + requestTime, 'buffer'));
    if (this.#digests.size >= rememberedTimes) this.#digests.clear();
    this.#digests.set(requestTime, digests);
    return digests;
  }
}

/** `Sign` of a request made at `requestTimeSec` (Unix seconds): 64 lower-case hexadecimal digits. */
export function signOf(token: string, requestTimeSec: number): string {
  return hash('sha256', `${token}${requestTimeSec}`);
}
