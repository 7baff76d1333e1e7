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

type Mutable = { -readonly [K in keyof CallbackQuery]: CallbackQuery[K] };
type Known = Exclude<keyof CallbackQuery, 'unknown' | 'repeated'>;

/** The known parameters as Tencent mostly spells them, and their fields. */
const spellings: readonly (readonly [spelling: string, field: Known])[] = [
  ['SdkAppid', 'sdkAppId'],
  ['CallbackCommand', 'command'],
  ['contenttype', 'contentType'],
  ['ClientIP', 'clientIp'],
  ['OptPlatform', 'optPlatform'],
  ['Sign', 'sign'],
  ['RequestTime', 'requestTime'],
  ['RequestID', 'requestId'],
];

/** Known parameters as spelled above and in lower case: there are other spellings (SdkAppId, SDKAppID). */
const knownParameters: ReadonlyMap<string, { readonly field: Known; readonly bit: number }> = new Map(
  spellings.flatMap(([spelling, field], index) => {
    const parameter = { field, bit: 1 << index };
    return [
      [spelling, parameter],
      [spelling.toLowerCase(), parameter],
    ] as const;
  }),
);

/** Reads the part of a URL behind the question mark. Never fails: what cannot be decoded stays as it is. */
export function parseQuery(queryString: string): CallbackQuery {
  const unknown: (readonly [name: string, value: string])[] = [];
  const query: Mutable = {
    sdkAppId: undefined,
    command: undefined,
    contentType: undefined,
    clientIp: undefined,
    optPlatform: undefined,
    sign: undefined,
    requestTime: undefined,
    requestId: undefined,
    unknown,
    repeated: undefined,
  };
  // Known parameters that have come, also without a value.
  let seen = 0;
  eachPair(queryString, (name, value) => {
    const known = knownParameters.get(name) ?? knownParameters.get(name.toLowerCase());
    if (known === undefined) {
      unknown.push([name, value]);
      return;
    }
    const { field, bit } = known;
    if ((seen & bit) !== 0) query.repeated ??= name;
    seen |= bit;
    if (value !== '') query[field] = value;
  });
  return query;
}

/** Visits the pairs of a query string; only one that has something to decode goes through the slower URLSearchParams. */
function eachPair(queryString: string, visit: (name: string, value: string) => void): void {
  if (/[%+]/.test(queryString) || queryString.startsWith('?')) {
    for (const [name, value] of new URLSearchParams(queryString)) visit(name, value);
    return;
  }
  for (let from = 0; from < queryString.length; ) {
    const and = queryString.indexOf('&', from);
    const end = and < 0 ? queryString.length : and;
    const equals = queryString.indexOf('=', from);
    if (equals >= 0 && equals < end) visit(queryString.slice(from, equals), queryString.slice(equals + 1, end));
    else if (end > from) visit(queryString.slice(from, end), '');
    from = end + 1;
  }
}

/** `queryString` without its `Sign`, and without parameters that nobody documented unless `keepUnknown`. */
export function queryWithoutSign(queryString: string, keepUnknown: boolean): string {
  return queryString
    .split('&')
    .filter((pair) => {
      const name = new URLSearchParams(pair).keys().next().value;
      const known = name === undefined ? undefined : knownParameters.get(name.toLowerCase());
      return known?.field !== 'sign' && (known !== undefined || keepUnknown);
    })
    .join('&');
}
