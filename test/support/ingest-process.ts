import { request } from 'undici';
import { expect } from 'vitest';
import { parseMetrics, type Samples } from '../../cli/management-client.ts';
import type { Readiness } from '../../lib/management-server.ts';
import { CliProcess } from './cli.ts';
import { unusedPort } from './pipeline.ts';
import { familyOf } from './processes.ts';

/** A line of the log, as far as tests read it. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly worker?: number;
  readonly reason?: string;
}

/** `imwatch ingest` as a process of its own, with its workers where it has some. */
export class IngestProcess {
  readonly command: CliProcess;
  readonly url: string;
  readonly #management: string;

  private constructor(command: CliProcess, port: number, managementPort: number) {
    this.command = command;
    this.url = `http://127.0.0.1:${port}`;
    this.#management = `http://127.0.0.1:${managementPort}`;
  }

  /** Starts it on ports of its own; resolves when it says that it is in `status`. */
  static async start(env: Readonly<Record<string, string>>, status: Readiness['status'] = 'ready') {
    const [port, managementPort] = [await unusedPort(), await unusedPort()];
    const ports = { INGEST_PORT: String(port), INGEST_MANAGEMENT_PORT: String(managementPort) };
    const command = new CliProcess(['ingest'], {
      IMWATCH_LOG_FORMAT: 'json',
      // A line for each callback would be most of what such a test costs.
      IMWATCH_LOG_LEVEL: 'warn',
      ...env,
      ...ports,
    });
    const ingest = new IngestProcess(command, port, managementPort);
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
