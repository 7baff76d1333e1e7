import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { isAnswer } from './answer.ts';
import type { Backend } from './backend.ts';
import type { ForwardMetrics, ForwardOutcome } from './metrics.ts';
import type { RelayQueue } from './relay-queue.ts';
import type { Relayed } from './relayed.ts';

export interface ForwarderOptions {
  readonly backend: Pick<Backend, 'post'>;
  readonly queue: RelayQueue;
  /** Time since its arrival within which the backend must have answered a callback that asks before something happens. */
  readonly deadlineMs: number;
  /** Whether a command asks before something happens. */
  readonly asksBefore: (command: string) => boolean;
  readonly metrics: ForwardMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

const warningPauseMs = 10_000;

/** Relays callbacks, whose events are durable by then, to the backend that an app has behind imwatch. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  #warnedMs = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /**
   * Relays `callback`. For one that asks before something happens, resolves with the backend's answer, or with `undefined` when
   * there is none in time; for any other at once, with `undefined`. Never rejects.
   */
  async relay(callback: Relayed): Promise<string | undefined> {
    if (callback.command !== null && this.#options.asksBefore(callback.command)) return this.#ask(callback);
    void this.#tell(callback);
    return undefined;
  }

  /** Says that `callback` has been relayed already, and will not be again. */
  refuseLoop(callback: Relayed): void {
    this.#done('after', callback, 'loop', 'it was relayed already: does INGEST_FORWARD_URL point at imwatch?');
  }

  async #ask(callback: Relayed): Promise<string | undefined> {
    const { backend, deadlineMs, clock } = this.#options;
    const timeout = new AbortController();
    const leftMs = deadlineMs - (clock.monotonicMs() - callback.startedMs);
    if (leftMs <= 0) {
      this.#done('before', callback, 'late', 'no time is left');
      return undefined;
    }
    const cancel = clock.after(leftMs, () => timeout.abort());
    const answer = await backend.post(callback, 'before', timeout.signal);
    cancel();
    if (answer.kind === 'failed') {
      this.#done('before', callback, timeout.signal.aborted ? 'late' : 'failed', answer.why);
      return undefined;
    }
    if (!isAnswer(answer.status, answer.text)) {
      this.#done('before', callback, 'invalid', `answer ${answer.status}, expected 200 and JSON with an ErrorCode`);
      return undefined;
    }
    this.#done('before', callback, 'answered');
    return answer.text;
  }

  async #tell(callback: Relayed): Promise<void> {
    const { outcome, why } = await this.#options.queue.relay(callback);
    this.#done('after', callback, outcome, why);
  }

  #done(kind: 'before' | 'after', callback: Relayed, outcome: ForwardOutcome, why?: string): void {
    const { metrics, clock, logger } = this.#options;
    const nowMs = clock.monotonicMs();
    metrics.done(kind, outcome, (nowMs - callback.startedMs) / 1000);
    if (why === undefined) return;
    if (nowMs - this.#warnedMs < warningPauseMs) {
      this.#unsaid += 1;
      return;
    }
    const { command } = callback;
    const details = { kind, outcome, command, reason: why, unsaid: this.#unsaid };
    logger.warn(details, 'a callback did not reach the backend (said at most every 10 s)');
    this.#warnedMs = nowMs;
    this.#unsaid = 0;
  }
}
