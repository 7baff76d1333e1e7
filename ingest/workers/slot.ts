import type { Clock } from '../../lib/clock.ts';
import { longestShedMs } from '../drain.ts';
import type { Addresses, WorkerEnd, WorkerHost, WorkerProcess } from './host.ts';
import type { Metric } from './messages.ts';

/** One process of a slot, from its start to its end. */
export interface Life {
  readonly number: number;
  readonly process: WorkerProcess;
  /** `leaving` serves on for a while, and is not to be replaced any more. */
  readonly state: 'starting' | 'serving' | 'leaving';
}

interface OwnLife extends Life {
  process: WorkerProcess;
  state: Life['state'];
  readySinceMs: number | undefined;
  readonly ready: PromiseWithResolvers<boolean>;
  readonly ended: PromiseWithResolvers<void>;
  cancelKill: () => void;
}

export interface SlotEvents {
  onReady(life: Life, addresses: Addresses): void;
  onFarewell(life: Life, metrics: readonly Metric[]): void;
  /** `isCrash`: nobody had asked for it. `pauseMs` is set where another one is started after it. */
  onEnd(life: Life, end: WorkerEnd, about: { readonly isCrash: boolean; readonly pauseMs: number | undefined }): void;
}

/** Pauses before a process is started again, by how many have died young before it in a row. */
const pausesMs = [0, 500, 1_000, 2_000, 5_000] as const;
/** A process that served for this long was well: its end is not one of a row. */
const wellAfterMs = 60_000;
/** How long a stop in order may take; then the process is killed. */
const longestStopMs = 11_000;

/**
 * Keeps one process serving under a number: starts another one when it crashes, or before it leaves. There may be two of them for
 * a while, when one takes over from the other.
 */
export class Slot {
  readonly number: number;
  readonly #host: WorkerHost;
  readonly #clock: Clock;
  readonly #drainMs: number;
  readonly #events: SlotEvents;
  readonly #lives = new Set<OwnLife>();
  /** The one that is to serve; `undefined` in a pause. */
  #main: OwnLife | undefined;
  /** The one that takes over from it when it is ready. */
  #successor: OwnLife | undefined;
  #youngDeaths = 0;
  #cancelPause: () => void = () => undefined;
  #isStopping = false;
  #isStopExpected = false;

  /** @param drainMs how long a process that was asked to stop by somebody else serves on. */
  constructor(number: number, host: WorkerHost, clock: Clock, drainMs: number, events: SlotEvents) {
    this.number = number;
    this.#host = host;
    this.#clock = clock;
    this.#drainMs = drainMs;
    this.#events = events;
  }

  /** Its processes that have not ended, the one that leaves before the one that comes. */
  get lives(): readonly Life[] {
    return Array.from(this.#lives);
  }

  start(): void {
    this.#main = this.#begin();
  }

  /**
   * Starts another process, has the one that serves leave as soon as that is ready, and resolves when it has left. False: the new
   * one ended before it was ready, or the slot was stopped; the old one serves on.
   */
  async replace(): Promise<boolean> {
    if (this.#isStopping) return false;
    this.#cancelPause();
    const old = this.#main;
    const successor = this.#begin();
    this.#successor = successor;
    if (!(await successor.ready.promise)) return false;
    await old?.ended.promise;
    return true;
  }

  /** A stop is coming: a process that leaves now, asked by whoever asks all of them, is not replaced any more. */
  expectStop(): void {
    this.#isStopExpected = true;
  }

  /** Has every process end, after it has asked its clients for `shedMs` to leave; resolves when all have. */
  async stop(shedMs: number): Promise<void> {
    this.#isStopping = true;
    this.#cancelPause();
    const lives = Array.from(this.#lives);
    for (const life of lives) this.#retire(life, shedMs);
    await Promise.all(lives.map(({ ended }) => ended.promise));
  }

  #begin(): OwnLife {
    const life: Omit<OwnLife, 'process'> & { process?: WorkerProcess } = {
      number: this.number,
      state: 'starting',
      readySinceMs: undefined,
      ready: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      cancelKill: () => undefined,
    };
    const started = Object.assign(life, {
      process: this.#host.start(this.number, {
        onReady: (addresses) => this.#onReady(started, addresses),
        onLeaving: () => this.#onLeaving(started),
        onFarewell: (metrics) => this.#events.onFarewell(started, metrics),
        onEnd: (end) => this.#onEnd(started, end),
      }),
    });
    this.#lives.add(started);
    return started;
  }

  #onReady(life: OwnLife, addresses: Addresses): void {
    life.state = 'serving';
    life.readySinceMs = this.#clock.monotonicMs();
    if (life === this.#successor) {
      const old = this.#main;
      this.#main = life;
      this.#successor = undefined;
      if (old !== undefined) this.#retire(old, longestShedMs);
    }
    this.#events.onReady(life, addresses);
    life.ready.resolve(true);
  }

  #onLeaving(life: OwnLife): void {
    life.state = 'leaving';
    this.#killLater(life, this.#drainMs + longestStopMs);
    if (life !== this.#main || this.#isStopping || this.#isStopExpected || this.#successor !== undefined) return;
    this.#main = this.#begin();
  }

  #onEnd(life: OwnLife, end: WorkerEnd): void {
    this.#lives.delete(life);
    life.cancelKill();
    const isCrash = life.state !== 'leaving' && !this.#isStopping;
    const hasLeft = this.#isStopExpected && life.state === 'leaving';
    const hadRole = life === this.#main || life === this.#successor;
    if (life === this.#main) this.#main = undefined;
    if (life === this.#successor) this.#successor = undefined;
    // Where there is another one that serves, or is about to, it is not missed.
    const isMissed =
      hadRole && !this.#isStopping && !hasLeft && this.#main === undefined && this.#successor === undefined;
    const pauseMs = isMissed ? this.#nextPauseMs(life) : undefined;
    this.#events.onEnd(life, end, { isCrash, pauseMs });
    if (pauseMs !== undefined && !this.#isStopping) this.#startAfter(pauseMs);
    life.ready.resolve(false);
    life.ended.resolve();
  }

  #nextPauseMs({ readySinceMs }: OwnLife): number {
    const wasWell = readySinceMs !== undefined && this.#clock.monotonicMs() - readySinceMs >= wellAfterMs;
    if (wasWell) this.#youngDeaths = 0;
    const pauseMs = pausesMs[Math.min(this.#youngDeaths, pausesMs.length - 1)] ?? 0;
    this.#youngDeaths += 1;
    return pauseMs;
  }

  #startAfter(pauseMs: number): void {
    if (pauseMs === 0) this.start();
    else this.#cancelPause = this.#clock.after(pauseMs, () => this.start());
  }

  #retire(life: OwnLife, shedMs: number): void {
    // One that does not serve yet does not listen either.
    if (life.state === 'starting') life.process.kill('SIGTERM');
    else life.process.retire(shedMs);
    life.state = 'leaving';
    this.#killLater(life, shedMs + longestStopMs);
  }

  #killLater(life: OwnLife, afterMs: number): void {
    life.cancelKill();
    life.cancelKill = this.#clock.after(afterMs, () => life.process.kill('SIGKILL'));
  }
}
