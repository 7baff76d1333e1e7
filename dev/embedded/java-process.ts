import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { processEnvironment } from '../../lib/config/sources.ts';
import { UserError } from '../../lib/errors.ts';
import { makeFolder } from '../folders.ts';

const keptLines = 20;
const stopTimeoutMs = 15_000;
const defaultStartTimeoutMs = 120_000;

/** What whoever starts Java programs decides for all of them. */
export interface JavaStart {
  /** Path of the program `java`. */
  readonly java: string;
  /** Told the id of each process as soon as it has one. */
  readonly onChild?: ((pid: number) => void) | undefined;
  /** Gives the start up: ends the process at once. */
  readonly signal?: AbortSignal | undefined;
  /** Time in which a program has to be ready; 120 s unless given. */
  readonly startTimeoutMs?: number | undefined;
}

/** A Java program as a child process, its output in a log file. */
export class JavaProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #start: JavaStart;
  readonly #exited: Promise<void>;
  readonly #lastLines: string[] = [];
  readonly #onLine: ((line: string) => void)[] = [];
  #stopping = false;

  constructor(
    start: JavaStart,
    options: {
      readonly name: string;
      readonly args: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      readonly logFile: string;
    },
  ) {
    this.name = options.name;
    this.#start = start;
    this.#logFile = options.logFile;
    makeFolder(dirname(options.logFile));
    // Opened now, so that a folder which cannot be written to is an exception here, and one that is removed later is no matter.
    const log = createWriteStream(options.logFile, { fd: openSync(options.logFile, 'a') });
    this.#child = spawn(start.java, options.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...processEnvironment(), ...options.env },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      stream.pipe(log, { end: false });
      createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
    if (this.#child.pid !== undefined) start.onChild?.(this.#child.pid);
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
    this.#child.once('error', exited.reject);
    this.#child.once('close', () => {
      log.end();
      exited.resolve();
    });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Calls `listener` when the process ends although nobody stopped it. */
  onUnexpectedExit(listener: () => void): void {
    void this.#exited.then(() => {
      if (!this.#stopping) listener();
    });
  }

  /** Resolves when a line of output matches. */
  untilLine(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => {
      if (this.#lastLines.some((line) => pattern.test(line))) resolve();
      this.#onLine.push((line) => {
        if (pattern.test(line)) resolve();
      });
    });
  }

  /**
   * Waits until `ready` resolves. A process that is given up, or is not ready in time, has ended when this rejects.
   *
   * @throws {UserError} when the process ends before, with the end of its output; or when the time is over.
   */
  async started(ready: Promise<void>): Promise<this> {
    await this.#whileWanted(Promise.race([ready, this.#exited]));
    if (this.hasEnded) throw this.#earlyEnd();
    return this;
  }

  /**
   * Waits until the process, which has one thing to do, has done it.
   *
   * @throws {UserError} as {@link started} does, and when it ends with another exit code than 0.
   */
  async succeeded(): Promise<void> {
    await this.#whileWanted(this.#exited);
    if (this.#child.exitCode !== 0) throw this.#earlyEnd();
  }

  /** Ends it with SIGTERM, and with SIGKILL when that takes over 15 s. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Waits for `awaited`, which resolves with the process's end at the latest; ends the process when given up or too late. */
  async #whileWanted(awaited: Promise<void>): Promise<void> {
    const { signal, startTimeoutMs = defaultStartTimeoutMs } = this.#start;
    const kill = (): void => {
      this.#child.kill('SIGKILL');
    };
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      kill();
    }, startTimeoutMs);
    signal?.addEventListener('abort', kill, { once: true });
    if (signal?.aborted === true) kill();
    try {
      await awaited;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
    }
    if (!this.hasEnded) return;
    signal?.throwIfAborted();
    if (isLate) {
      throw new UserError(`${this.name} did not answer within ${startTimeoutMs / 1000} s; its log is ${this.#logFile}`);
    }
  }

  #earlyEnd(): UserError {
    const end = this.#lastLines.join('\n');
    return new UserError(`${this.name} ended at once. The end of its log (${this.#logFile}):\n${end}`);
  }

  #read(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
    for (const listener of this.#onLine) listener(line);
  }
}
