import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMetrics, readReadiness, type Samples } from '../../cli/management-client.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { processEnvironment } from '../../lib/config/sources.ts';
import { unusedPort } from '../support/pipeline.ts';

const cli = join(import.meta.dirname, '../../cli/start.js');
const pollMs = 50;
const answerTimeoutMs = 5_000;

export type Answers = Readonly<Record<'kafka' | 'disk' | 'none', number>>;

/** `imwatch ingest` as users start it, its log in a file. It can be started again after its end, with the same settings. */
export class IngestProcess {
  readonly url: string;
  readonly #management: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #before: readonly string[];
  readonly #logFile: string;
  #child: ChildProcess | undefined;
  /** Of processes that have ended. */
  #answers: Answers = { kafka: 0, disk: 0, none: 0 };

  private constructor(env: Readonly<Record<string, string>>, before: readonly string[], logFile: string) {
    this.#env = env;
    this.#before = before;
    this.#logFile = logFile;
    this.url = `http://127.0.0.1:${env['INGEST_PORT']}`;
    this.#management = `http://127.0.0.1:${env['INGEST_MANAGEMENT_PORT']}`;
  }

  /** @param before a program with arguments that runs what follows in its own place, for example with limits. */
  static async create(
    env: Readonly<Record<string, string>>,
    logFile: string,
    before: readonly string[] = [],
  ): Promise<IngestProcess> {
    const ports = {
      INGEST_PORT: String(await unusedPort()),
      INGEST_MANAGEMENT_PORT: String(await unusedPort()),
    };
    return new IngestProcess({ ...env, ...ports }, before, logFile);
  }

  get pid(): number {
    const { pid } = this.#child ?? {};
    if (pid === undefined) throw new Error('ingest does not run');
    return pid;
  }

  get hasEnded(): boolean {
    return this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  /** Resolves when it takes callbacks. */
  async start(): Promise<void> {
    const [program = '', ...args] = [...this.#before, process.execPath, cli, 'ingest'];
    const log = openSync(this.#logFile, 'a');
    this.#child = spawn(program, args, {
      env: { ...processEnvironment(), NODE_ENV: '', ...this.#env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    while ((await this.status()) === undefined || !(await this.#listens())) {
      if (this.hasEnded) throw new Error(`ingest has ended:\n${this.log.slice(-2_000)}`);
      await sleep(systemClock, pollMs);
    }
  }

  /** What /ready says; `undefined` while nobody answers. */
  async status(): Promise<string | undefined> {
    return (await readReadiness(this.#management))?.status;
  }

  /** What /ready gives as reasons, in one text. */
  async reasons(): Promise<string> {
    return (await readReadiness(this.#management))?.reasons.join('; ') ?? '';
  }

  async metrics(): Promise<Samples> {
    const answer = await fetch(`${this.#management}/metrics`, { signal: AbortSignal.timeout(answerTimeoutMs) });
    return parseMetrics(await answer.text());
  }

  /** Ready, with nothing left on the disk. */
  async isWell(): Promise<boolean> {
    if ((await this.status()) !== 'ready') return false;
    return (await this.metrics()).get('ingest_spool_bytes') === 0;
  }

  /** Authentic callbacks that were answered, by where they were durable, over all starts. */
  async answers(): Promise<Answers> {
    const samples = this.hasEnded ? new Map<string, number>() : await this.metrics();
    const of = (durable: keyof Answers): number =>
      this.#answers[durable] + (samples.get(`ingest_answers_total{durable="${durable}"}`) ?? 0);
    return { kafka: of('kafka'), disk: of('disk'), none: of('none') };
  }

  /** Ends it as a machine that fails would. */
  async kill(): Promise<void> {
    // One that does not answer has to end as well.
    this.#answers = await this.answers().catch(() => this.#answers);
    await this.#end('SIGKILL');
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    this.#answers = await this.answers();
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.hasEnded) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async #listens(): Promise<boolean> {
    try {
      await fetch(this.url);
      return true;
    } catch {
      return false;
    }
  }
}
