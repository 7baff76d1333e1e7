import type { Clock } from '../../lib/clock.ts';
import type { Backend, BackendAnswer } from './backend.ts';
import type { Relayed } from './relayed.ts';

export interface RelayLimits {
  /** Memory of the callbacks that may be on their way or wait, in bytes. */
  readonly queueBytes: number;
  /** Attempts at a time. */
  readonly connections: number;
  /** How long after its arrival a callback is tried again; 0: never. */
  readonly retryMs: number;
}

export type RelayOutcome = 'ok' | 'refused' | 'failed' | 'dropped';

/** Tencent waits this long for an answer. */
const attemptTimeoutMs = 2_000;
/** What a callback that waits takes beside its text, measured: small ones would fill the memory long before their texts do. */
const overheadBytes = 2 * 1024;
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
  /** What ends a pause or an attempt at once. An AbortSignal for all would take time by the number of those that listen to it. */
  readonly #ends = new Set<() => void>();
  /** Those that wait for an attempt, in order; the ones before `#nextTurn` have had theirs. */
  #turns: (() => void)[] = [];
  #nextTurn = 0;
  #isStopped = false;
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
    const bytes = callback.body.length + callback.queryString.length + overheadBytes;
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
    this.#isStopped = true;
    for (const end of this.#ends) end();
  }

  async #tryUntilOld(callback: Relayed): Promise<{ readonly outcome: RelayOutcome; readonly why?: string }> {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.#attempt(callback);
      if (this.#isStopped) return { outcome: 'dropped', why: 'ingest stops' };
      if (answer.kind === 'answered' && answer.status === 200) return { outcome: 'ok' };
      const why = answer.kind === 'answered' ? `answer ${answer.status}` : answer.why;
      if (answer.kind === 'answered' && !mayPass(answer.status)) return { outcome: 'refused', why };
      const pauseMs = this.#random() * Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
      const ageMs = this.#clock.monotonicMs() - callback.startedMs;
      if (ageMs + pauseMs > this.#limits.retryMs) return { outcome: 'failed', why };
      await this.#pause(pauseMs);
      if (this.#isStopped) return { outcome: 'dropped', why: 'ingest stops' };
      this.#onRetry();
    }
  }

  /** Posts once, when one of the attempts at a time is free. */
  async #attempt(callback: Relayed): Promise<BackendAnswer> {
    if (this.#attempts < this.#limits.connections) this.#attempts += 1;
    else await new Promise<void>((resolve) => this.#turns.push(resolve));
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const cancel = this.#clock.after(attemptTimeoutMs, end);
    this.#ends.add(end);
    if (this.#isStopped) end();
    try {
      return await this.#backend.post(callback, 'after', ending.signal);
    } finally {
      cancel();
      this.#ends.delete(end);
      this.#passOn();
    }
  }

  /** Lets the next one that waits take the place of an attempt that is over. */
  #passOn(): void {
    const next = this.#turns[this.#nextTurn];
    if (next === undefined) {
      this.#attempts -= 1;
      return;
    }
    this.#nextTurn += 1;
    // Array.shift takes time by the length of a long list.
    if (this.#nextTurn > this.#turns.length / 2) {
      this.#turns = this.#turns.slice(this.#nextTurn);
      this.#nextTurn = 0;
    }
    next();
  }

  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#ends.delete(end);
        resolve();
      };
      const cancel = this.#clock.after(pauseMs, end);
      this.#ends.add(end);
    });
  }
}

/** Whether another attempt may help: the backend says itself that it cannot now. */
function mayPass(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}
