import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readReadiness } from '../../cli/management-client.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { processEnvironment } from '../../lib/config/sources.ts';
import { unusedPort } from '../support/pipeline.ts';
import { sendSignal } from '../support/processes.ts';

const cli = join(import.meta.dirname, '../../cli/start.js');
const pollMs = 50;

/** `imwatch penalties` as users start it, its log in a file. It can be started again after its end. */
export class PenaltiesProcess {
  readonly #env: Readonly<Record<string, string>>;
  readonly #logFile: string;
  #management = '';
  #child: ChildProcess | undefined;
  #isFrozen = false;

  constructor(env: Readonly<Record<string, string>>, logFile: string) {
    this.#env = env;
    this.#logFile = logFile;
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  get log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  async start(): Promise<void> {
    const port = String(await unusedPort());
    this.#management = `http://127.0.0.1:${port}`;
    this.#isFrozen = false;
    const log = openSync(this.#logFile, 'a');
    this.#child = spawn(process.execPath, [cli, 'penalties'], {
      env: { ...processEnvironment(), NODE_ENV: '', ...this.#env, PENALTIES_MANAGEMENT_PORT: port },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
  }

  /** Resolves when it consumes. */
  async ready(): Promise<void> {
    while ((await readReadiness(this.#management))?.status !== 'ready') {
      if (!this.runs) throw new Error(`penalties has ended:\n${this.log.slice(-2_000)}`);
      await sleep(systemClock, pollMs);
    }
  }

  freeze(): void {
    sendSignal(this.#child?.pid, 'SIGSTOP');
    this.#isFrozen = true;
  }

  thaw(): void {
    if (this.runs) sendSignal(this.#child?.pid, 'SIGCONT');
    this.#isFrozen = false;
  }

  /** Ends it as a machine that fails would. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Ends it in order. */
  stop(): Promise<void> {
    this.thaw();
    return this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.runs) return;
    const exited = once(this.#child as ChildProcess, 'exit');
    sendSignal(this.#child?.pid, signal);
    await exited;
  }
}
