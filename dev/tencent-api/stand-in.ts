import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateSync } from 'node:zlib';
import { systemClock } from '../../lib/clock.ts';

/** An app that the stand-in knows. */
export interface StandInApp {
  readonly sdkAppId: number;
  readonly adminAccount: string;
  readonly secretKey: string;
}

export interface StandInOptions {
  readonly apps: readonly StandInApp[];
  /** Answer of GetIPList by nettype; a number is an ErrorCode. */
  readonly ipLists?: Readonly<Record<number, readonly string[] | number>>;
}

type Answer = Readonly<Record<string, unknown>>;

/** Base64 as in a UserSig, and what it stands for. */
const escapes: Readonly<Record<string, string>> = { '*': '+', '-': '/', _: '=' };

/**
 * A stand-in of Tencent IM's server REST API on 127.0.0.1, written from its documentation and not from our client: path, query and
 * UserSig are checked as documented, and errors are answered with HTTP 200 and an ErrorCode.
 */
export class TencentStandIn {
  /** Each call that was answered: its path and the names of its query parameters. */
  readonly calls: { readonly path: string; readonly parameters: readonly string[] }[] = [];
  readonly #options: StandInOptions;
  readonly #server = createServer((request, response) => {
    void this.#answer(request).then((answer) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
  });

  constructor(options: StandInOptions) {
    this.#options = options;
  }

  /** Starts it on a free port; returns what TENCENT_API_BASE is set to. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    this.calls.push({ path: url.pathname, parameters: Array.from(url.searchParams.keys()) });
    if (request.method !== 'POST') return failure(60009, 'POST is expected');
    if (url.pathname !== '/v4/ConfigSvc/GetIPList') return failure(60002, 'no such address');
    if (!isJsonObject(body)) return failure(60003, 'the body is no JSON object');
    return this.#callerTrouble(url.searchParams) ?? this.#ipList(url.searchParams);
  }

  /** What is wrong with who calls, by the common query parameters; names and values are case-sensitive. */
  #callerTrouble(query: URLSearchParams): Answer | undefined {
    const app = this.#options.apps.find(({ sdkAppId }) => String(sdkAppId) === query.get('sdkappid'));
    if (app === undefined) return failure(60012, 'sdkappid is unknown');
    if (query.get('contenttype') !== 'json') return failure(60003, 'contenttype is not json');
    if (!/^\d{1,10}$/.test(query.get('random') ?? '')) return failure(60003, 'random is no number');
    if (query.get('identifier') !== app.adminAccount) return failure(60010, 'identifier is no administrator');
    return userSigTrouble(query.get('usersig') ?? '', app);
  }

  #ipList(query: URLSearchParams): Answer {
    const found = this.#options.ipLists?.[Number(query.get('nettype'))] ?? [];
    if (typeof found === 'number') return failure(found, 'as the test wants it');
    return { ActionStatus: 'OK', ErrorCode: 0, ErrorInfo: '', IPList: found };
  }
}

function userSigTrouble(text: string, app: StandInApp): Answer | undefined {
  let fields: Record<string, unknown>;
  try {
    const base64 = text.replace(/[*\-_]/g, (letter) => escapes[letter] ?? letter);
    fields = JSON.parse(inflateSync(Buffer.from(base64, 'base64')).toString()) as Record<string, unknown>;
  } catch {
    return failure(70003, 'usersig cannot be read');
  }
  const { 'TLS.time': issuedAtSec, 'TLS.expire': validForSec } = fields;
  const lines = ['identifier', 'sdkappid', 'time', 'expire'].map((name) => `TLS.${name}:${fields[`TLS.${name}`]}\n`);
  const expected = createHmac('sha256', app.secretKey).update(lines.join('')).digest('base64');
  if (fields['TLS.ver'] !== '2.0' || fields['TLS.sig'] !== expected) return failure(70009, 'usersig is wrong');
  if (fields['TLS.identifier'] !== app.adminAccount) return failure(70013, 'usersig is for another identifier');
  if (fields['TLS.sdkappid'] !== app.sdkAppId) return failure(70014, 'usersig is for another sdkappid');
  const endsAtSec = Number(issuedAtSec) + Number(validForSec);
  return endsAtSec < systemClock.nowMs() / 1000 ? failure(70001, 'usersig has expired') : undefined;
}

function failure(errorCode: number, errorInfo: string): Answer {
  return { ActionStatus: 'FAIL', ErrorCode: errorCode, ErrorInfo: errorInfo };
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
