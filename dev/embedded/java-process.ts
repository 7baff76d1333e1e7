import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { processEnvironment } from '../../lib/config/sources.ts';
import { UserError } from '../../lib/errors.ts';
import { makeFolder } from '../folders.ts';

const keptLines = 20;
const stopTimeoutMs = 15_000;

/** A Java program as a child process, its output in a log file. */
export class JavaProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #lastLines: string[] = [];
  readonly #onLine: ((line: string) => void)[] = [];
  #stopping = false;

  constructor(options: {
    readonly name: string;
    readonly java: string;
    readonly args: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly logFile: string;
    readonly onChild?: ((pid: number) => void) | undefined;
  }) {
    this.name = options.name;
    makeFolder(dirname(options.logFile));
    const log = createWriteStream(options.logFile, { flags: 'a' });
    this.#child = spawn(options.java, options.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...processEnvironment(), ...options.env },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      stream.pipe(log, { end: false });
      createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
    if (this.#child.pid !== undefined) options.onChild?.(this.#child.pid);
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

  /**
   * Resolves when a line of output matches.
   *
   * @throws {UserError} when the process ends before, with the end of its output.
   */
  async untilLine(pattern: RegExp): Promise<void> {
    const matched = new Promise<void>((resolve) => {
      if (this.#lastLines.some((line) => pattern.test(line))) resolve();
      this.#onLine.push((line) => {
        if (pattern.test(line)) resolve();
      });
    });
    await Promise.race([matched, this.failure()]);
  }

  /** Rejects when the process ends. */
  async failure(): Promise<never> {
    await this.#exited;
    throw new UserError(`${this.name} ended at once. The end of its log:\n${this.#lastLines.join('\n')}`);
  }

  /** Ends it with SIGTERM, and with SIGKILL when that takes over 15 s. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #read(line: string): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
    for (const listener of this.#onLine) listener(line);
  }
}
