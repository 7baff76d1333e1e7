import { createHmac } from 'node:crypto';
import { deflateSync } from 'node:zlib';

export interface UserSigParts {
  readonly sdkAppId: number;
  /** The account that the signature is for; of REST calls an administrator of the app. */
  readonly identifier: string;
  readonly secretKey: string;
  /** Unix seconds from which it is valid. */
  readonly issuedAtSec: number;
  readonly validForSec: number;
}

/**
 * The UserSig (TLSSigAPIv2) that proves to Tencent who calls. Pure.
 *
 * @see https://github.com/tencentyun/tls-sig-api-v2-node
 */
export function userSig({ sdkAppId, identifier, secretKey, issuedAtSec, validForSec }: UserSigParts): string {
  const signed = [
    `TLS.identifier:${identifier}`,
    `TLS.sdkappid:${sdkAppId}`,
    `TLS.time:${issuedAtSec}`,
    `TLS.expire:${validForSec}`,
    '',
  ].join('\n');
  const json = JSON.stringify({
    'TLS.ver': '2.0',
    'TLS.identifier': identifier,
    'TLS.sdkappid': sdkAppId,
    'TLS.time': issuedAtSec,
    'TLS.expire': validForSec,
    'TLS.sig': createHmac('sha256', secretKey).update(signed).digest('base64'),
  });
  return deflateSync(json).toString('base64').replaceAll('+', '*').replaceAll('/', '-').replaceAll('=', '_');
}
