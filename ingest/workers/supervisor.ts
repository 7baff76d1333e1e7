import type { Clock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Addresses, WorkerEnd, WorkerHost, WorkerProcess } from './host.ts';
import type { Metric } from './messages.ts';
import { type Life, Slot } from './slot.ts';

export interface SupervisorOptions {
  readonly count: number;
  readonly host: WorkerHost;
  readonly drainMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each process that is started in place of one that ended unasked. */
  readonly onRestart: () => void;
  /** Told of the last numbers that a process gives. */
  readonly onFarewell: (process: WorkerProcess, metrics: readonly Metric[]) => void;
  /** Told of each process that has ended. */
  readonly onEnd: (process: WorkerProcess) => void;
}

/** The exit code with which a process says that only a person can mend its start. */
const cannotStartExitCode = 2;

/** Keeps `count` processes serving, replaces them one after another, and has each spool that one leaves taken over by another. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  readonly #started = Promise.withResolvers<Addresses>();
  #hasServed = false;
  #isStopping = false;
  /** A process has ended while none was there to take over its spool. */
  #isAdoptionDue = false;
  /** The replacement of all that is under way, and whether another one was asked for meanwhile. */
  #replacing: { readonly done: Promise<boolean>; again: boolean } | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { count, host, clock, drainMs } = options;
    const events = {
      onReady: (life: Life, addresses: Addresses) => this.#onReady(life, addresses),
      onFarewell: ({ process }: Life, metrics: readonly Metric[]) => options.onFarewell(process, metrics),
      onEnd: (life: Life, end: WorkerEnd, about: { isCrash: boolean; pauseMs: number | undefined }) =>
        this.#onEnd(life, end, about),
    };
    this.#slots = Array.from({ length: count }, (_, index) => new Slot(index + 1, host, clock, drainMs, events));
    // A start that nobody waits for any more may fail.
    this.#started.promise.catch(() => undefined);
  }

  /**
   * Starts the first process, and the others when that serves: what keeps it from starting is said once. Resolves with its
   * addresses, which are those of all.
   *
   * @throws {UserError} when it cannot start until someone mends its settings.
   */
  start(): Promise<Addresses> {
    this.#slots[0]?.start();
    return this.#started.promise;
  }

  /** Every process that has not ended, by the number of its slot. */
  get slots(): readonly Pick<Slot, 'number' | 'lives'>[] {
    return this.#slots;
  }

  /** Replaces the processes one after another, each when its successor serves; stops at the first that fails. False: it did. */
  async replaceAll(): Promise<boolean> {
    if (this.#isStopping) return false;
    if (this.#replacing !== undefined) {
      this.#replacing.again = true;
      return this.#replacing.done;
    }
    const { promise: done, resolve } = Promise.withResolvers<boolean>();
    this.#replacing = { done, again: false };
    let succeeded: boolean;
    do {
      this.#replacing.again = false;
      succeeded = await this.#replaceEach();
    } while (succeeded && this.#replacing.again);
    this.#replacing = undefined;
    resolve(succeeded);
    return succeeded;
  }

  /** A stop is coming: processes that leave by themselves are not replaced any more; one that crashes still is. */
  expectStop(): void {
    for (const slot of this.#slots) slot.expectStop();
  }

  /** Has every process end, after it has asked its clients for `shedMs` to leave; resolves when all have. */
  async stop(shedMs: number): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#slots.map((slot) => slot.stop(shedMs)));
    this.#started.reject(new Error('ingest was stopped before it could start'));
  }

  async #replaceEach(): Promise<boolean> {
    const { logger } = this.#options;
    logger.info('replacing the workers');
    for (const slot of this.#slots) {
      if (await slot.replace()) continue;
      if (!this.#isStopping) logger.error({ worker: slot.number }, 'a new worker did not start, the others stay');
      return false;
    }
    logger.info('every worker has been replaced');
    return true;
  }

  #onReady({ process, number }: Life, addresses: Addresses): void {
    this.#options.logger.debug({ worker: number, pid: process.pid }, 'a worker serves');
    if (this.#isAdoptionDue) {
      this.#isAdoptionDue = false;
      process.adopt();
    }
    if (this.#hasServed) return;
    this.#hasServed = true;
    this.#started.resolve(addresses);
    if (!this.#isStopping) for (const slot of this.#slots.slice(1)) slot.start();
  }

  #onEnd(
    { process, number }: Life,
    { code, reason }: WorkerEnd,
    { isCrash, pauseMs }: { readonly isCrash: boolean; readonly pauseMs: number | undefined },
  ): void {
    const { logger, onEnd, onRestart } = this.#options;
    onEnd(process);
    if (this.#isStopping) return;
    if (code === cannotStartExitCode && !this.#hasServed) {
      void this.stop(0);
      this.#started.reject(new UserError(`worker ${number} cannot start, see above`));
      return;
    }
    this.#giveAwaySpool();
    const about = { worker: number, pid: process.pid, reason };
    if (!isCrash) logger.info(about, 'a worker has left');
    else if (pauseMs === undefined) logger.error(about, 'a worker ended');
    else logger.error({ ...about, pauseMs }, 'a worker ended, starting another one');
    if (isCrash && pauseMs !== undefined) onRestart();
  }

  /** Has a process that serves take over what one that has ended left in the spool. */
  #giveAwaySpool(): void {
    const heir = this.#slots.flatMap(({ lives }) => lives).find(({ state }) => state === 'serving');
    if (heir === undefined) this.#isAdoptionDue = true;
    else heir.process.adopt();
  }
}
