import { Agent, request } from 'undici';
import type { Delivery } from '../dev/traffic/plan.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import type { App } from '../lib/config/apps.ts';
import { messageOf } from '../lib/errors.ts';
import { callbackUrl } from './callback-url.ts';

/** What has become of the deliveries so far. */
export interface SendCounts {
  /** Deliveries that were begun. */
  sent: number;
  /** Those that are the second of their body. */
  redelivered: number;
  /** Deliveries that were answered OK. */
  acknowledged: number;
  /** Attempts beyond the first of a delivery, after a failure or no answer. */
  repeated: number;
  /** From the first delivery to the last acknowledgement. */
  tookMs: number;
  /** Why the last attempt failed that did. */
  lastFailure: string | undefined;
}

export interface TrafficSenderOptions {
  /** Where ingest takes callbacks. */
  readonly url: string;
  readonly app: Pick<App, 'sdkAppId' | 'tokens'>;
  readonly clock: Clock;
  /** Ends the traffic; what is on its way is waited for. */
  readonly signal: AbortSignal;
}

const connections = 32;
/** Tencent waits this long for an answer. */
const answerTimeoutMs = 2_000;
const repeatPauseMs = 500;

/** Sends planned traffic on time, each delivery until it is acknowledged, as Tencent does where its retries are switched on. */
export class TrafficSender {
  readonly counts: SendCounts = {
    sent: 0,
    redelivered: 0,
    acknowledged: 0,
    repeated: 0,
    tookMs: 0,
    lastFailure: undefined,
  };
  readonly #options: TrafficSenderOptions;
  readonly #agent = new Agent({ connections, headersTimeout: answerTimeoutMs, bodyTimeout: answerTimeoutMs });

  constructor(options: TrafficSenderOptions) {
    this.#options = options;
  }

  /** Resolves when all have been acknowledged, or the signal has ended it. */
  async send(deliveries: readonly Delivery[]): Promise<void> {
    const { clock, signal } = this.#options;
    const beginMs = clock.monotonicMs();
    const underWay: Promise<void>[] = [];
    for (const delivery of deliveries) {
      const waitMs = beginMs + delivery.atMs - clock.monotonicMs();
      if (waitMs > 0) await sleep(clock, waitMs);
      if (signal.aborted) break;
      underWay.push(this.#deliver(delivery));
    }
    await Promise.all(underWay);
    this.counts.tookMs = Math.round(clock.monotonicMs() - beginMs);
    await this.#agent.close();
  }

  async #deliver({ command, body, isRedelivery }: Delivery): Promise<void> {
    const { clock, signal } = this.#options;
    this.counts.sent += 1;
    if (isRedelivery) this.counts.redelivered += 1;
    while (!signal.aborted) {
      const failure = await this.#post(command, body);
      if (failure === undefined) {
        this.counts.acknowledged += 1;
        return;
      }
      this.counts.lastFailure = failure;
      this.counts.repeated += 1;
      await sleep(clock, repeatPauseMs);
    }
  }

  /** Posts once. Returns why that was no success. */
  async #post(command: string, body: string): Promise<string | undefined> {
    const { url, app, clock } = this.#options;
    try {
      const target = callbackUrl(url, app, command, clock.nowMs());
      const headers = { 'content-type': 'application/json' };
      const answer = await request(target, { method: 'POST', headers, body, dispatcher: this.#agent });
      const text = await answer.body.text();
      return answer.statusCode === 200 ? undefined : `${answer.statusCode} ${text}`;
    } catch (error) {
      return messageOf(error);
    }
  }
}
