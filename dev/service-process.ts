import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Clock, sleep } from '../lib/clock.ts';
import { UserError } from '../lib/errors.ts';
import type { ReadyMessage } from '../lib/run-service.ts';

const cli = join(import.meta.dirname, '../cli/imwatch.ts');
const restartPauseMs = 1_000;
const stopTimeoutMs = 20_000;
/** The exit code with which a service says that only a person can mend its start. */
const wrongSettingsExitCode = 2;

export interface ServiceProcessOptions {
  /** Command of `imwatch` that is the service. */
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** A line that the service printed. */
  readonly onLine: (line: string) => void;
  /** Told of each end that nobody asked for; the service is started again. */
  readonly onCrash: (reason: string) => void;
}

/** One service as a process of its own, started again when it ends by itself. It ends with the process that holds it. */
export class ServiceProcess {
  readonly #options: ServiceProcessOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the service's addresses when it has started.
   *
   * @throws {UserError} when it cannot start until someone mends its settings.
   */
  start(): Promise<Readonly<Record<string, string>>> {
    const { name, env, clock, onLine, onCrash } = this.#options;
    const started = Promise.withResolvers<Readonly<Record<string, string>>>();
    // A start that nobody waits for any more may fail.
    started.promise.catch(() => undefined);
    // In a process group of its own: a Ctrl-C in the terminal is for us, and we stop services in order.
    const child = spawn(process.execPath, [cli, name], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', onLine);
    }
    child.once('message', (message) => started.resolve((message as ReadyMessage).addresses));
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
    child.once('error', started.reject);
    child.once('close', async (code, signal) => {
      exited.resolve();
      if (this.#stopping) {
        started.reject(new Error(`${name} was stopped`));
        return;
      }
      if (code === wrongSettingsExitCode) {
        started.reject(new UserError(`${name} cannot start, see above`));
        return;
      }
      onCrash(signal === null ? `exit code ${code}` : signal);
      await sleep(clock, restartPauseMs);
      if (!this.#stopping) this.start().then(started.resolve, started.reject);
    });
    return started.promise;
  }

  /** Ends it with SIGTERM, and with SIGKILL when that takes over 20 s. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child?.kill('SIGTERM');
    const cancel = this.#options.clock.after(stopTimeoutMs, () => this.#child?.kill('SIGKILL'));
    await this.#exited;
    cancel();
  }
}
