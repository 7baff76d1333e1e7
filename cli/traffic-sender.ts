import { Agent, request } from 'undici';
import type { Delivery } from '../dev/traffic/delivery.ts';
import type { Clock } from '../lib/clock.ts';
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
  /** Deliveries that were begun, by their command. */
  readonly byCommand: Record<string, number>;
  /** Why the last attempt failed that did. */
  lastFailure: string | undefined;
}

export interface TrafficSenderOptions {
  /** Where ingest takes callbacks. */
  readonly url: string;
  /** Those that deliveries are for. */
  readonly apps: readonly Pick<App, 'sdkAppId' | 'tokens'>[];
  readonly clock: Clock;
  /** Ends the traffic; what is on its way is waited for. */
  readonly signal: AbortSignal;
}

const connections = 32;
/** Tencent waits this long for an answer. */
const answerTimeoutMs = 2_000;
const repeatPauseMs = 500;
/** As many wait for their acknowledgement at most; when ingest is away for long, the traffic waits with them. */
const maxUnderWay = 4_096;

/** Sends planned traffic on time, each delivery until it is acknowledged, as Tencent does where its retries are switched on. */
export class TrafficSender {
  readonly counts: SendCounts = {
    sent: 0,
    redelivered: 0,
    acknowledged: 0,
    repeated: 0,
    tookMs: 0,
    byCommand: {},
    lastFailure: undefined,
  };
  readonly #options: TrafficSenderOptions;
  #underWay = 0;
  #onSettled: () => void = () => undefined;
  readonly #agent = new Agent({ connections, headersTimeout: answerTimeoutMs, bodyTimeout: answerTimeoutMs });

  constructor(options: TrafficSenderOptions) {
    this.#options = options;
  }

  /**
   * Takes deliveries in order of time, each when it is due. Resolves when all have been acknowledged, or the signal has ended it.
   */
  async send(deliveries: Iterable<Delivery>): Promise<void> {
    const { clock, signal } = this.#options;
    const beginMs = clock.monotonicMs();
    for (const delivery of deliveries) {
      const waitMs = beginMs + delivery.atMs - clock.monotonicMs();
      if (waitMs > 0) await this.#wait(waitMs);
      if (signal.aborted) break;
      this.#begin(delivery);
      await this.#untilFewer(maxUnderWay);
    }
    await this.#untilFewer(1);
    this.counts.tookMs = Math.round(clock.monotonicMs() - beginMs);
    await this.#agent.close();
  }

  #begin(delivery: Delivery): void {
    this.#underWay += 1;
    void this.#deliver(delivery).then(() => {
      this.#underWay -= 1;
      this.#onSettled();
    });
  }

  async #untilFewer(count: number): Promise<void> {
    while (this.#underWay >= count)
      await new Promise<void>((resolve) => {
        this.#onSettled = resolve;
      });
  }

  /** Waits, though not beyond the end of the traffic. */
  #wait(delayMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.after(delayMs, done);
      signal.addEventListener('abort', done);
    });
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { signal } = this.#options;
    const { command, isRedelivery } = delivery;
    this.counts.sent += 1;
    this.counts.byCommand[command] = (this.counts.byCommand[command] ?? 0) + 1;
    if (isRedelivery) this.counts.redelivered += 1;
    while (!signal.aborted) {
      const failure = await this.#post(delivery);
      if (failure === undefined) {
        this.counts.acknowledged += 1;
        return;
      }
      this.counts.lastFailure = failure;
      this.counts.repeated += 1;
      await this.#wait(repeatPauseMs);
    }
  }

  /** Posts once. Returns why that was no success. */
  async #post({ sdkAppId, command, body, query }: Delivery): Promise<string | undefined> {
    const { url, apps, clock } = this.#options;
    const app = apps.find((candidate) => candidate.sdkAppId === sdkAppId);
    if (app === undefined) throw new Error(`A delivery is for app ${sdkAppId}, which the sender was not given`);
    try {
      const target = callbackUrl(url, app, command, clock.nowMs(), query);
      const headers = { 'content-type': 'application/json' };
      const answer = await request(target, { method: 'POST', headers, body, dispatcher: this.#agent });
      const text = await answer.body.text();
      return answer.statusCode === 200 ? undefined : `${answer.statusCode} ${text}`;
    } catch (error) {
      return messageOf(error);
    }
  }
}
