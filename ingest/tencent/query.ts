/** The query string of a callback, decoded; empty values count as absent. */
export interface CallbackQuery {
  readonly sdkAppId: string | undefined;
  readonly command: string | undefined;
  readonly contentType: string | undefined;
  readonly clientIp: string | undefined;
  readonly optPlatform: string | undefined;
  readonly sign: string | undefined;
  readonly requestTime: string | undefined;
  readonly requestId: string | undefined;
  /** Parameters that Tencent's documents do not name, in the order received. */
  readonly unknown: readonly (readonly [name: string, value: string])[];
  /** The first known parameter that stands in the query twice; such a request is ambiguous. */
  readonly repeated: string | undefined;
}

type Known = Exclude<keyof CallbackQuery, 'unknown' | 'repeated'>;

/** Known parameters in lower case: Tencent spells some of them in several ways (SdkAppid, SdkAppId, SDKAppID). */
const knownParameters = new Map<string, Known>([
  ['sdkappid', 'sdkAppId'],
  ['callbackcommand', 'command'],
  ['contenttype', 'contentType'],
  ['clientip', 'clientIp'],
  ['optplatform', 'optPlatform'],
  ['sign', 'sign'],
  ['requesttime', 'requestTime'],
  ['requestid', 'requestId'],
]);

/** Reads the part of a URL behind the question mark. Never fails: what cannot be decoded stays as it is. */
export function parseQuery(queryString: string): CallbackQuery {
  const found: { -readonly [K in Known]?: string } = {};
  const unknown: [string, string][] = [];
  let repeated: string | undefined;
  const seen = new Set<Known>();
  for (const [name, value] of new URLSearchParams(queryString)) {
    const known = knownParameters.get(name.toLowerCase());
    if (known === undefined) {
      unknown.push([name, value]);
      continue;
    }
    if (seen.has(known)) repeated ??= name;
    seen.add(known);
    if (value !== '') found[known] = value;
  }
  return {
    sdkAppId: found.sdkAppId,
    command: found.command,
    contentType: found.contentType,
    clientIp: found.clientIp,
    optPlatform: found.optPlatform,
    sign: found.sign,
    requestTime: found.requestTime,
    requestId: found.requestId,
    unknown,
    repeated,
  };
}

/** `queryString` without its `Sign`, and without parameters that nobody documented unless `keepUnknown`. */
export function queryWithoutSign(queryString: string, keepUnknown: boolean): string {
  return queryString
    .split('&')
    .filter((pair) => {
      const name = new URLSearchParams(pair).keys().next().value;
      const known = name === undefined ? undefined : knownParameters.get(name.toLowerCase());
      return known !== 'sign' && (known !== undefined || keepUnknown);
    })
    .join('&');
}
