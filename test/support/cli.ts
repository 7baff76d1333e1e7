import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { processEnvironment } from '../../lib/config/sources.ts';

const cli = join(import.meta.dirname, '../../cli/start.js');

/** An `imwatch` command as a process, its output collected. */
export class CliProcess {
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  #errors = '';
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(args: readonly string[], env: Readonly<Record<string, string>>, options: { readonly cwd?: string } = {}) {
    this.child = spawn(process.execPath, [cli, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...processEnvironment(), NODE_ENV: '', NO_COLOR: '1', ...env },
      ...options,
    });
    if (this.child.stdout !== null) {
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        this.#lines.push(line);
        this.#wake();
      });
    }
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.#errors += chunk.toString();
      this.#wake();
    });
    this.child.once('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  get output(): string {
    return this.#lines.join('\n');
  }

  get errors(): string {
    return this.#errors;
  }

  /** The first line of standard output or error that matches, as soon as there is one. @throws when the process ends before. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = [...this.#lines, ...this.#errors.split('\n')].find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`Ended without a line like ${pattern}:\n${this.output}\n${this.#errors}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Exit code, or the signal that ended it. */
  async end(): Promise<number | string> {
    if (!this.#ended) await once(this.child, 'close');
    return this.child.exitCode ?? this.child.signalCode ?? 'unknown';
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Runs an `imwatch` command to its end. */
export async function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Promise<{ readonly code: number | string; readonly output: string; readonly errors: string }> {
  const command = new CliProcess(args, env);
  command.child.stdin?.end(input);
  const code = await command.end();
  return { code, output: command.output, errors: command.errors };
}
