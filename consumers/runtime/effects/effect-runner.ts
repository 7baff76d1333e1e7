import { type Clock, sleep } from '../../../lib/clock.ts';
import { AppError, messageOf } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/logger.ts';
import { retryPauseMs } from '../retry-pause.ts';
import type { Effect, Effects } from './effects.ts';
import { KeyLanes } from './key-lanes.ts';

export interface EffectRunnerOptions<E extends Effect, R> {
  readonly effects: Effects<E, R>;
  /** Whether this instance has the partition at this moment, as far as it can know. */
  readonly isOwner: () => boolean;
  /** Commits the outcome of an effect. */
  readonly settle: (effect: E, result: R) => Promise<void>;
  /** Told of an exception that is a bug. */
  readonly onBug: (error: unknown) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Effects that are performed at once. */
const concurrency = 8;
/** Effects that are open before no more events are taken. */
const mostOpen = 1_000;

/** Performs the effects of one partition, each once its intent is committed: in order for each key, a slow key delaying only itself. */
export class EffectRunner<E extends Effect, R> {
  readonly #options: EffectRunnerOptions<E, R>;
  readonly #lanes = new KeyLanes(concurrency);
  readonly #begun = new Set<string>();
  #room: PromiseWithResolvers<void> | undefined;

  constructor(options: EffectRunnerOptions<E, R>) {
    this.#options = options;
  }

  /** Effects that have begun and have no outcome yet. */
  get open(): number {
    return this.#begun.size;
  }

  /** Resolves when there is room for what more events may want to be done; `undefined` when there is now. */
  room(): Promise<void> | undefined {
    if (this.#begun.size < mostOpen) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /**
   * Begins what is open and has not begun.
   *
   * @param mayBeDone whether an owner before this one may have performed it.
   */
  begin(mayBeDone: boolean): void {
    for (const effect of this.#options.effects.open()) {
      if (this.#begun.has(effect.id)) continue;
      this.#begun.add(effect.id);
      void this.#lanes.run(effect.key, () => this.#run(effect, mayBeDone));
    }
  }

  async #run(effect: E, mayBeDone: boolean): Promise<void> {
    const { settle, signal, onBug } = this.#options;
    try {
      const result = await this.#perform(effect, mayBeDone);
      if (result === undefined) return;
      await settle(effect, result.value);
      this.#begun.delete(effect.id);
      if (this.#begun.size >= mostOpen) return;
      this.#room?.resolve();
      this.#room = undefined;
    } catch (error) {
      if (!signal.aborted) onBug(error);
    }
  }

  /** Resolves with what it gave; with nothing when the partition was lost before. */
  async #perform(effect: E, mayBeDone: boolean): Promise<{ readonly value: R } | undefined> {
    const { effects, isOwner, signal, clock, logger } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      // Whoever has been given up by the group, or cannot know, does nothing that cannot be taken back.
      while (!isOwner()) {
        if (signal.aborted) return undefined;
        await sleep(clock, retryPauseMs(attempt));
      }
      try {
        return { value: await effects.perform(effect, { mayBeDone: mayBeDone || attempt > 0, signal }) };
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!(error instanceof AppError)) throw error;
        // Joining the group again would only have it refused again.
        if (!error.retryable) throw new Error(`The effect ${effect.id} fails for good`, { cause: error });
        logger.warn({ effect: effect.id, reason: messageOf(error) }, 'an effect has failed, trying again');
        await sleep(clock, retryPauseMs(attempt));
      }
    }
  }
}
