import { randomInt } from 'node:crypto';
import { Agent, request } from 'undici';
import type { Clock } from '../clock.ts';
import type { Region } from '../config/apps.ts';
import { messageOf } from '../errors.ts';
import { apiBase } from './domains.ts';
import { errorClassOf, TencentRefusedError, TencentUnavailableError } from './errors.ts';
import { userSig } from './user-sig.ts';

/** What calls are made with. */
export interface ApiCredentials {
  readonly sdkAppId: number;
  readonly adminAccount: string;
  readonly secretKey: string;
  readonly region?: Region | undefined;
}

/** A documented answer: always HTTP 200, success or not. */
export interface ApiAnswer {
  readonly ErrorCode: number;
  readonly ErrorInfo?: string;
  readonly [field: string]: unknown;
}

/** Whose addresses: those that callbacks come from, in China with Hong Kong, and overseas. */
export const callbackSources = { china: 5, overseas: 6 } as const;

/** Tencent gives up after 3 s itself, and then says so. */
const timeoutMs = 5_000;
/** Tencent recommends a day at least. */
const userSigValidForSec = 2 * 86_400;
const randomEnd = 2 ** 32;
const mask = '********';

/** Tencent IM's server REST API for one app. */
export class TencentApi {
  readonly #credentials: ApiCredentials;
  readonly #base: string;
  readonly #clock: Clock;
  readonly #agent = new Agent({ headersTimeout: timeoutMs, bodyTimeout: timeoutMs, connect: { timeout: timeoutMs } });
  #signed: { readonly userSig: string; readonly renewAtMs: number } | undefined;

  /** @param base an address that stands in for the domain of the app's region. */
  constructor(credentials: ApiCredentials, base: string | undefined, clock: Clock) {
    this.#credentials = credentials;
    this.#base = base ?? apiBase(credentials.region);
    this.#clock = clock;
  }

  /**
   * Calls `v4/<command>`, once more with a new UserSig when Tencent does not take the one it got.
   *
   * @throws {TencentUnavailableError | TencentRefusedError} whose messages hold neither UserSig nor key.
   */
  async call(
    command: string,
    body: Readonly<Record<string, unknown>> = {},
    query: Readonly<Record<string, string | number>> = {},
  ): Promise<ApiAnswer> {
    try {
      return await this.#callOnce(command, body, query);
    } catch (error) {
      if (!(error instanceof TencentRefusedError) || error.errorClass !== 'sign-anew') throw error;
      this.#signed = undefined;
      return this.#callOnce(command, body, query);
    }
  }

  /** Addresses and ranges (CIDR), as Tencent says them. */
  async ipList(netType: number): Promise<readonly string[]> {
    const command = 'ConfigSvc/GetIPList';
    const { IPList: found } = await this.call(command, {}, { nettype: netType });
    if (Array.isArray(found) && found.every((item) => typeof item === 'string')) return found;
    throw new TencentUnavailableError(`Tencent answers ${command} without a list of texts in IPList`);
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  async #callOnce(
    command: string,
    body: Readonly<Record<string, unknown>>,
    query: Readonly<Record<string, string | number>>,
  ): Promise<ApiAnswer> {
    const { sdkAppId, adminAccount } = this.#credentials;
    const url = new URL(`${this.#base}/v4/${command}`);
    const sig = this.#userSig();
    const parameters = {
      sdkappid: sdkAppId,
      identifier: adminAccount,
      usersig: sig,
      random: randomInt(randomEnd),
      contenttype: 'json',
      ...query,
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value));
    const answer = await this.#post(command, url, JSON.stringify(body));
    if (answer.ErrorCode === 0) return answer;
    const info = this.#withoutSecrets(answer.ErrorInfo ?? 'no ErrorInfo', sig);
    const message = `Tencent answers ${command} with error ${answer.ErrorCode}: ${info}`;
    const errorClass = errorClassOf(answer.ErrorCode);
    if (errorClass === 'retry') throw new TencentUnavailableError(message, answer.ErrorCode);
    throw new TencentRefusedError(message, answer.ErrorCode, errorClass);
  }

  async #post(command: string, url: URL, body: string): Promise<ApiAnswer> {
    try {
      const headers = { 'content-type': 'application/json' };
      const response = await request(url, { method: 'POST', headers, body, dispatcher: this.#agent });
      const text = await response.body.text();
      if (response.statusCode !== 200) throw new Error(`HTTP status ${response.statusCode}`);
      const answer: unknown = JSON.parse(text);
      if (isAnswer(answer)) return answer;
      throw new Error('an answer without ErrorCode');
    } catch (error) {
      const reason = error instanceof SyntaxError ? 'an answer that is no JSON' : messageOf(error);
      throw new TencentUnavailableError(`Tencent does not answer ${command} at ${url.origin}: ${reason}`);
    }
  }

  #userSig(): string {
    const nowMs = this.#clock.nowMs();
    if (this.#signed === undefined || nowMs >= this.#signed.renewAtMs) {
      const { sdkAppId, adminAccount: identifier, secretKey } = this.#credentials;
      const issuedAtSec = Math.floor(nowMs / 1000);
      this.#signed = {
        userSig: userSig({ sdkAppId, identifier, secretKey, issuedAtSec, validForSec: userSigValidForSec }),
        renewAtMs: nowMs + (userSigValidForSec * 1000) / 2,
      };
    }
    return this.#signed.userSig;
  }

  #withoutSecrets(text: string, sig: string): string {
    return text.replaceAll(sig, mask).replaceAll(this.#credentials.secretKey, mask);
  }
}

function isAnswer(value: unknown): value is ApiAnswer {
  return typeof value === 'object' && value !== null && 'ErrorCode' in value && typeof value.ErrorCode === 'number';
}
