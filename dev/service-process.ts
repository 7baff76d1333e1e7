import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import type { ReadyMessage } from '../lib/run-service.ts';
import type { Environment } from './run-program.ts';

const shortestPauseMs = 1_000;
const longestPauseMs = 30_000;
/** A service that was ready for this long was well: its end is not one of a row. */
const wellAfterMs = 60_000;
const stopTimeoutMs = 20_000;
/** The exit code with which a service says that only a person can mend its start. */
const wrongSettingsExitCode = 2;

export interface ServiceProcessOptions {
  /** What messages call it. */
  readonly name: string;
  /** The program that is the service, and its arguments. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly env: Environment;
  readonly clock: Clock;
  /** A line that the service printed. */
  readonly onLine: (line: string) => void;
  /** Told of each end that nobody asked for; the service is started again. */
  readonly onCrash: (reason: string) => void;
}

type Addresses = Readonly<Record<string, string>>;

/** How a process ended. */
interface End {
  /** Where it has one. */
  readonly code: number | null;
  readonly reason: string;
  /** Where it was ready at all. */
  readonly readyForMs: number | undefined;
}

/**
 * One service as a process of its own. When it ends by itself it is started again: after 1 s, and after twice as long each
 * time until 30 s, until it has been ready for a minute. It ends with the process that holds it.
 */
export class ServiceProcess {
  readonly #options: ServiceProcessOptions;
  readonly #stopping = new AbortController();
  readonly #started = Promise.withResolvers<Addresses>();
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    // A start that nobody waits for any more may fail.
    this.#started.promise.catch(() => undefined);
  }

  /**
   * Resolves with the service's addresses when it has started. Called once.
   *
   * @throws {UserError} when it cannot start until someone mends its settings.
   */
  start(): Promise<Addresses> {
    this.#ended = this.#keepRunning();
    return this.#started.promise;
  }

  /** Ends it with SIGTERM, and with SIGKILL when that takes over 20 s. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#child?.kill('SIGTERM');
    const cancel = this.#options.clock.after(stopTimeoutMs, () => this.#child?.kill('SIGKILL'));
    await this.#ended;
    cancel();
  }

  async #keepRunning(): Promise<void> {
    const { name, onCrash } = this.#options;
    let wasReadyOnce = false;
    let pauseMs = shortestPauseMs;
    for (;;) {
      const { code, reason, readyForMs } = await this.#runOnce();
      if (this.#stopping.signal.aborted) break;
      wasReadyOnce ||= readyForMs !== undefined;
      // Settings with which it ran once are not what is wrong.
      if (code === wrongSettingsExitCode && !wasReadyOnce) {
        this.#started.reject(new UserError(`${name} cannot start, see above`));
        return;
      }
      onCrash(reason);
      if (readyForMs !== undefined && readyForMs >= wellAfterMs) pauseMs = shortestPauseMs;
      await this.#pause(pauseMs);
      if (this.#stopping.signal.aborted) break;
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
    this.#started.reject(new Error(`${name} was stopped`));
  }

  #runOnce(): Promise<End> {
    const { command, env, clock, onLine } = this.#options;
    const [program, ...args] = command;
    // In a process group of its own: a Ctrl-C in the terminal is for us, and we stop services in order.
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env, detached: true });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      // Where the process could not be made there are no streams.
      if (stream) createInterface({ input: stream }).on('line', onLine);
    }
    let readySinceMs: number | undefined;
    const readyForMs = (): number | undefined =>
      readySinceMs === undefined ? undefined : clock.monotonicMs() - readySinceMs;
    child.once('message', (message) => {
      readySinceMs = clock.monotonicMs();
      this.#started.resolve((message as ReadyMessage).addresses);
    });
    return new Promise((resolve) => {
      child.on('error', (error) => {
        // One that could not be made may never say "close"; one that runs does.
        if (child.pid === undefined) resolve({ code: null, reason: error.message, readyForMs: undefined });
      });
      child.once('close', (code, signal) => {
        resolve({ code, reason: signal ?? `exit code ${code}`, readyForMs: readyForMs() });
      });
    });
  }

  /** Resolves after `pauseMs`, at once when stopping. */
  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(pauseMs, resolve);
      this.#stopping.signal.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
  }
}
