import http from 'node:http';
import { signOf } from '../../ingest/tencent/signature.ts';
import { queryString, verdictCommand } from './callbacks.ts';
import { token } from './pipeline.ts';

export interface Sent {
  readonly id: string;
  /** Status of the answer, or why there is none. */
  readonly outcome: number | string;
  readonly tookMs: number;
  /** Whether it went over a connection that had been used before. */
  readonly isReused: boolean;
}

/** Keeps this many connections open, each used again and again. */
const keptConnections = 8;
/** So many are under way at most: on a machine that is busy with other things the rate is lower. */
const mostUnderWay = 50;
/** Far longer than any answer takes: who runs into it was forgotten. */
const timeoutMs = 15_000;

/**
 * Sends verdicts at a steady rate, every other one over a connection of its own, the others over connections that are kept alive.
 * Nothing is sent again.
 */
export class SteadySender {
  readonly sent: Sent[] = [];
  readonly #url: URL;
  readonly #kept = new http.Agent({ keepAlive: true, maxSockets: keptConnections });
  readonly #timer: NodeJS.Timeout;
  #dueMs = performance.now();
  readonly #perSecond: number;
  readonly #underWay = new Set<Promise<void>>();
  #count = 0;

  constructor(url: string, perSecond: number) {
    this.#url = new URL(url);
    this.#perSecond = perSecond;
    this.#timer = setInterval(() => this.#sendDue(), 5);
  }

  /** Those that were not answered 200, a line each. */
  get failed(): readonly string[] {
    return this.sent
      .filter(({ outcome }) => outcome !== 200)
      .map(({ outcome, isReused, tookMs }) => `${outcome} (${isReused ? 'kept' : 'new'}, ${Math.round(tookMs)} ms)`);
  }

  get acknowledged(): readonly string[] {
    return this.sent.filter(({ outcome }) => outcome === 200).map(({ id }) => id);
  }

  /** Sends no more, and resolves when everything is answered, or given up. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    this.#kept.destroy();
  }

  #sendDue(): void {
    for (; this.#dueMs < performance.now(); this.#dueMs += 1_000 / this.#perSecond) {
      if (this.#underWay.size >= mostUnderWay) continue;
      this.#count += 1;
      const sending = this.#send(String(this.#count), this.#count % 2 === 0).finally(() => {
        this.#underWay.delete(sending);
      });
      this.#underWay.add(sending);
    }
  }

  async #send(id: string, isKept: boolean): Promise<void> {
    const startMs = performance.now();
    const requestTimeSec = Math.floor(Date.now() / 1_000);
    const sign = { RequestTime: String(requestTimeSec), Sign: signOf(token, requestTimeSec) };
    const request = http.request(this.#url, {
      method: 'POST',
      path: `/?${queryString(verdictCommand, sign)}`,
      agent: isKept ? this.#kept : false,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const outcome = await new Promise<number | string>((resolve) => {
      request.once('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
      request.once('response', (response) => {
        response.once('error', (error: Error) => resolve(error.message));
        response.once('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      });
      request.end(JSON.stringify({ From_Account: `u${Number(id) % 100}`, CtxcbResult: 1, MsgID: id }));
    });
    this.sent.push({ id, outcome, tookMs: performance.now() - startMs, isReused: request.reusedSocket });
  }
}
