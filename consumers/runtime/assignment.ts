import type { Clock } from '../../lib/clock.ts';
import { AppError, asError, messageOf } from '../../lib/errors.ts';
import { FencedError } from '../../lib/kafka/transact/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Readiness } from '../../lib/management-server.ts';
import type { ConsumerState } from './metrics.ts';
import { type OwnedPartition, PartitionStoppedError } from './partition/owned-partition.ts';
import type { AnyEvent } from './processor.ts';
import { untilDone } from './until-done.ts';

export interface AssignmentOptions<E extends AnyEvent, V> {
  readonly partitions: readonly number[];
  /** Takes a partition over; `onEnd` is to be told why it cannot be gone on with. */
  readonly claim: (
    partition: number,
    signal: AbortSignal,
    onEnd: (error: Error) => void,
  ) => Promise<OwnedPartition<E, V>>;
  /** Told, once, that the partitions have to be taken anew. */
  readonly onLost: (error: Error) => void;
  readonly onBug: (error: Error) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long what is under way is given to end at a stop. */
const settleMs = 5_000;

/** The partitions of an instance between two rebalances. */
export class Assignment<E extends AnyEvent, V> {
  readonly #options: AssignmentOptions<E, V>;
  readonly #end = new AbortController();
  readonly #owned = new Map<number, OwnedPartition<E, V>>();
  readonly #claims: readonly Promise<void>[];
  /** Why a partition is not gone on with until a person has looked. */
  readonly #stopped = new Map<number, string>();
  /** Why a partition cannot be taken yet. */
  readonly #troubles = new Map<number, string>();
  #isLost = false;

  constructor(options: AssignmentOptions<E, V>) {
    this.#options = options;
    this.#claims = options.partitions.map((partition) => this.#claim(partition));
    void Promise.all(this.#claims).then(() => {
      if (!this.#end.signal.aborted) options.logger.info({ partitions: options.partitions }, 'consuming');
    });
  }

  get partitions(): readonly number[] {
    return this.#options.partitions;
  }

  /** Unavailable while a partition is being taken; degraded when one is stopped or waits for something outside. */
  get readiness(): Readiness {
    const { claiming } = this.state.partitions;
    const stopped = Array.from(this.#stopped, ([partition, why]) => `partition ${partition} is stopped: ${why}`);
    const waiting = Array.from(this.#owned).flatMap(([partition, { waitingFor }]) => {
      return waitingFor === undefined ? [] : [`partition ${partition} waits for ${waitingFor}`];
    });
    const reasons = [...stopped, ...waiting];
    if (claiming === 0) return { status: reasons.length === 0 ? 'ready' : 'degraded', reasons };
    const [trouble] = this.#troubles.values();
    const taking = `reading back the state of ${claiming} of ${this.partitions.length} partitions`;
    return { status: 'unavailable', reasons: [trouble === undefined ? taking : `${taking}: ${trouble}`, ...reasons] };
  }

  get state(): ConsumerState {
    const nowMs = this.#options.clock.monotonicMs();
    const begun = [...this.#owned.values()].map(({ busySinceMs }) => busySinceMs ?? nowMs);
    const stopped = this.#stopped.size;
    const running = this.#owned.size - stopped;
    const claiming = this.partitions.length - this.#owned.size;
    return { partitions: { running, claiming, stopped }, oldestInFlightMs: nowMs - Math.min(nowMs, ...begun) };
  }

  /** The partition whose work has been under way for longest without waiting for anything outside, if for longer than `limitMs`. */
  stuckBecause(limitMs: number): string | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [partition, { busySinceMs = nowMs, waitingFor }] of this.#owned) {
      const busyMs = nowMs - busySinceMs;
      if (waitingFor === undefined && busyMs > limitMs) {
        return `partition ${partition} has made no progress for ${Math.round(busyMs / 1_000)} s`;
      }
    }
    return undefined;
  }

  /** Gives every processor the time. */
  tick(): void {
    for (const owned of this.#owned.values()) void owned.tick();
  }

  /** Resolves when what is under way has ended, after 5 s at the latest. */
  async settled(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(settleMs, late.resolve);
    await Promise.race([Promise.all(Array.from(this.#owned.values(), (owned) => owned.idle())), late.promise]);
    cancel();
  }

  /** Gives up all partitions: nothing takes effect from now on. Resolves when their snapshots are closed. */
  async leave(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#claims);
    await Promise.all(Array.from(this.#owned.values(), (owned) => owned.close()));
  }

  async #claim(partition: number): Promise<void> {
    const { clock, logger, claim, onBug } = this.#options;
    const { signal } = this.#end;
    const onEnd = (error: Error): void => this.#ended(partition, error);
    const onFailure = (error: Error): void => {
      this.#troubles.set(partition, messageOf(error));
      logger.warn({ partition, reason: messageOf(error) }, 'a partition cannot be taken yet, trying again');
    };
    try {
      // Whoever has taken the id meanwhile is the owner: it is not taken back.
      const isFinal = (error: unknown): boolean => error instanceof FencedError;
      const owned = await untilDone(() => claim(partition, signal, onEnd), { signal, clock, onFailure, isFinal });
      this.#owned.set(partition, owned);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof FencedError) this.#ended(partition, error);
      else onBug(asError(error));
    }
  }

  #ended(partition: number, error: Error): void {
    const { logger, onLost, onBug } = this.#options;
    if (error instanceof PartitionStoppedError) {
      this.#stopped.set(partition, messageOf(error));
      logger.error({ partition, reason: messageOf(error) }, 'a partition is stopped');
    } else if (!(error instanceof AppError)) {
      onBug(error);
    } else if (!this.#isLost) {
      this.#isLost = true;
      onLost(error);
    }
  }
}
