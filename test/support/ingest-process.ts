import { request } from 'undici';
import { expect } from 'vitest';
import { parseMetrics, type Samples } from '../../cli/management-client.ts';
import type { Readiness } from '../../lib/management-server.ts';
import { CliProcess } from './cli.ts';
import { familyOf } from './processes.ts';

/** A line of the log, as far as tests read it. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly worker?: number;
  readonly callbacks?: string;
  readonly management?: string;
  readonly reason?: string;
}

/** `imwatch ingest` as a process of its own, with its workers where it has some. */
export class IngestProcess {
  readonly command: CliProcess;
  readonly url: string;
  readonly #management: string;

  private constructor(command: CliProcess, { callbacks = '', management = '' }: LogLine) {
    this.command = command;
    this.url = callbacks;
    this.#management = management;
  }

  /** Resolves when it has said that it is started, and, unless Kafka is away, that all of it is ready. */
  static async start(env: Readonly<Record<string, string>>, status: Readiness['status'] = 'ready') {
    const command = new CliProcess(['ingest'], { IMWATCH_LOG_FORMAT: 'json', IMWATCH_LOG_LEVEL: 'info', ...env });
    const line = await command.line(/"management".*"started"/);
    const ingest = new IngestProcess(command, JSON.parse(line) as LogLine);
    await ingest.until(status);
    return ingest;
  }

  get pid(): number {
    return this.command.child.pid ?? 0;
  }

  get log(): readonly LogLine[] {
    return this.command.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Process ids of its workers. */
  workers(): readonly number[] {
    return familyOf(this.pid).slice(1);
  }

  async ready(): Promise<Readiness & { readonly code: number }> {
    const { statusCode, body } = await request(`${this.#management}/ready`);
    return { code: statusCode, ...((await body.json()) as Readiness) };
  }

  async until(status: Readiness['status']): Promise<void> {
    await expect
      .poll(async () => (await this.ready().catch(() => undefined))?.status, { timeout: 30_000, interval: 50 })
      .toBe(status);
  }

  /** Resolves when so many of its workers take callbacks. */
  async untilServing(workers: number): Promise<void> {
    await expect
      .poll(async () => (await this.metrics()).get('ingest_workers'), { timeout: 20_000, interval: 50 })
      .toBe(workers);
  }

  async metrics(): Promise<Samples> {
    const { body } = await request(`${this.#management}/metrics`);
    return parseMetrics(await body.text());
  }

  /** Ends it with SIGTERM and returns its exit code. */
  async stop(): Promise<number | string> {
    this.command.child.kill('SIGTERM');
    return this.command.end();
  }
}
