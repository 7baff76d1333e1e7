import type { Clock } from '../../lib/clock.ts';
import type { Backend, BackendAnswer } from './backend.ts';
import type { Relayed } from './relayed.ts';

export interface RelayLimits {
  /** Bytes of bodies that may be on their way or wait. */
  readonly queueBytes: number;
  /** Attempts at a time. */
  readonly connections: number;
  /** How long after its arrival a callback is tried again; 0: never. */
  readonly retryMs: number;
}

export type RelayOutcome = 'ok' | 'refused' | 'failed' | 'dropped';

/** Tencent waits this long for an answer. */
const attemptTimeoutMs = 2_000;
const firstPauseMs = 250;
const longestPauseMs = 8_000;

/**
 * Relays callbacks in the background, bounded in bytes and attempts at a time; beyond the bound a callback is dropped. What
 * fails is tried again with full jitter while the callback is young enough. Keeps no order, as Tencent promises none.
 */
export class RelayQueue {
  readonly #backend: Pick<Backend, 'post'>;
  readonly #limits: RelayLimits;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onRetry: () => void;
  readonly #abort = new AbortController();
  readonly #turns: (() => void)[] = [];
  #attempts = 0;
  #callbacks = 0;
  #bytes = 0;
  #whenEmpty: (() => void)[] = [];

  constructor(
    backend: Pick<Backend, 'post'>,
    limits: RelayLimits,
    { clock, random, onRetry }: { readonly clock: Clock; readonly random: () => number; readonly onRetry: () => void },
  ) {
    this.#backend = backend;
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#onRetry = onRetry;
  }

  /** Callbacks that are on their way or wait. */
  get callbacks(): number {
    return this.#callbacks;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Relays a callback; says what became of it, and of a failure why. */
  async relay(callback: Relayed): Promise<{ readonly outcome: RelayOutcome; readonly why?: string }> {
    const bytes = callback.body.length + callback.queryString.length;
    if (this.#bytes + bytes > this.#limits.queueBytes) return { outcome: 'dropped', why: 'too many wait' };
    this.#bytes += bytes;
    this.#callbacks += 1;
    try {
      return await this.#tryUntilOld(callback);
    } finally {
      this.#bytes -= bytes;
      this.#callbacks -= 1;
      if (this.#callbacks === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
    }
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    if (this.#callbacks > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Drops what is on its way or waits. */
  stop(): void {
    this.#abort.abort();
    for (const turn of this.#turns.splice(0)) turn();
  }

  async #tryUntilOld(callback: Relayed): Promise<{ readonly outcome: RelayOutcome; readonly why?: string }> {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.#attempt(callback);
      if (this.#abort.signal.aborted) return { outcome: 'dropped', why: 'ingest stops' };
      if (answer.kind === 'answered' && answer.status === 200) return { outcome: 'ok' };
      const why = answer.kind === 'answered' ? `answer ${answer.status}` : answer.why;
      if (answer.kind === 'answered' && !mayPass(answer.status)) return { outcome: 'refused', why };
      const pauseMs = this.#random() * Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
      const ageMs = this.#clock.monotonicMs() - callback.startedMs;
      if (ageMs + pauseMs > this.#limits.retryMs) return { outcome: 'failed', why };
      await this.#pause(pauseMs);
      if (this.#abort.signal.aborted) return { outcome: 'dropped', why: 'ingest stops' };
      this.#onRetry();
    }
  }

  /** Posts once, when one of the attempts at a time is free. */
  async #attempt(callback: Relayed): Promise<BackendAnswer> {
    if (this.#attempts < this.#limits.connections) this.#attempts += 1;
    else await new Promise<void>((resolve) => this.#turns.push(resolve));
    const timeout = new AbortController();
    const cancel = this.#clock.after(attemptTimeoutMs, () => timeout.abort());
    try {
      return await this.#backend.post(callback, 'after', AbortSignal.any([timeout.signal, this.#abort.signal]));
    } finally {
      cancel();
      // The next one takes this place over.
      const next = this.#turns.shift();
      if (next === undefined) this.#attempts -= 1;
      else next();
    }
  }

  #pause(pauseMs: number): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(pauseMs, done);
      signal.addEventListener('abort', done);
    });
  }
}

/** Whether another attempt may help: the backend says itself that it cannot now. */
function mayPass(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}
