import type { Clock } from '../../lib/clock.ts';
import type { Backend } from './backend.ts';
import type { Relayed } from './relayed.ts';
import { Turns } from './turns.ts';

export interface RelayLimits {
  /** Bytes of callbacks that may be on their way or wait; each counts with `overheadBytes` more, which bounds their number too. */
  readonly queueBytes: number;
  /** Attempts at a time. */
  readonly connections: number;
  /** How long after its arrival a callback is tried again; 0: never. */
  readonly retryMs: number;
}

export type RelayOutcome = 'ok' | 'refused' | 'failed' | 'dropped';

interface Relaying {
  readonly outcome: RelayOutcome;
  /** What went wrong. */
  readonly why?: string;
}

/** What a waiting callback takes beside its body and query. */
export const overheadBytes = 1_024;
/** A backend that checks `Sign` refuses what is older than 60 s, so nothing waits longer for its first attempt. */
const longestWaitMs = 55_000;
/** Tencent waits this long for an answer. */
const attemptTimeoutMs = 2_000;
const firstPauseMs = 250;
const longestPauseMs = 8_000;

/**
 * Relays callbacks in the background, bounded in bytes, number and attempts at a time; beyond the bound a callback is dropped.
 * What fails is tried again with full jitter while the callback is young enough; while the backend is in trouble attempts are
 * few. Keeps no order, as Tencent promises none.
 */
export class RelayQueue {
  readonly #backend: Pick<Backend, 'post'>;
  readonly #limits: RelayLimits;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onRetry: () => void;
  readonly #abort = new AbortController();
  readonly #turns: Turns;
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
    this.#turns = new Turns(limits.connections, clock, random);
  }

  /** Callbacks that are on their way or wait. */
  get callbacks(): number {
    return this.#callbacks;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Relays a callback; says what became of it, and of a failure why. */
  async relay(callback: Relayed): Promise<Relaying> {
    if (this.#abort.signal.aborted) return stopped;
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
    this.#abort.abort();
    this.#turns.stop();
  }

  async #tryUntilOld(callback: Relayed): Promise<Relaying> {
    const { retryMs } = this.#limits;
    const untilMs = callback.startedMs + Math.max(retryMs, longestWaitMs);
    for (let attempt = 0; ; attempt += 1) {
      const turn = await this.#turns.take(untilMs);
      if (turn === 'stopped') return stopped;
      if (turn === 'late') return { outcome: 'failed', why: 'too old when its turn came' };
      if (attempt > 0) this.#onRetry();
      const answer = await this.#attempt(callback);
      if (answer.outcome !== 'failed') return answer;
      const pauseMs = this.#random() * Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
      const ageMs = this.#clock.monotonicMs() - callback.startedMs;
      if (ageMs + pauseMs > retryMs) return answer;
      await this.#pause(pauseMs);
    }
  }

  /** Posts once, and gives the turn back. */
  async #attempt(callback: Relayed): Promise<Relaying> {
    const timeout = new AbortController();
    const cancel = this.#clock.after(attemptTimeoutMs, () => timeout.abort());
    const signal = AbortSignal.any([timeout.signal, this.#abort.signal]);
    const answer = await this.#backend.post(callback, 'after', signal);
    cancel();
    const isWell = answer.kind === 'answered' && !mayPass(answer.status);
    this.#turns.give(isWell);
    if (answer.kind === 'failed') return this.#abort.signal.aborted ? stopped : { outcome: 'failed', why: answer.why };
    if (answer.status === 200) return { outcome: 'ok' };
    return { outcome: isWell ? 'refused' : 'failed', why: `answer ${answer.status}` };
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

const stopped: Relaying = { outcome: 'dropped', why: 'ingest stops' };

/** Whether another attempt may help: the backend says itself that it cannot now. */
function mayPass(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}
