import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '../../dev/run-program.ts';
import { cpuSecondsOf, residentMibOf, threadCpuSecondsOf } from './processes.ts';
import { say } from './say.ts';

/** How a server is started. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Environment;
  /** Port of 127.0.0.1 on which it takes requests. */
  readonly port: number;
  /** Whether it is ready, asked once it takes connections; not given: it is. */
  readonly isReady?: () => Promise<boolean>;
}

const startTimeoutMs = 60_000;
const pollMs = 100;

/** One of the servers that are compared, as a process of its own. */
export class Server {
  readonly url: string;
  readonly #child: ChildProcess;
  #isStopping = false;

  private constructor(port: number, child: ChildProcess) {
    this.url = `http://127.0.0.1:${port}`;
    this.#child = child;
  }

  /**
   * Starts it and resolves when it takes requests; what it prints goes to `logFile`, the end of which is shown when it ends before
   * it is stopped.
   */
  static async start(name: string, { program, args, env, port, isReady }: Launch, logFile: string): Promise<Server> {
    const log = openSync(logFile, 'w');
    const child = spawn(program, args, { env: { ...env }, stdio: ['ignore', log, log] });
    closeSync(log);
    const failed = Promise.withResolvers<never>();
    child.once('error', failed.reject);
    failed.promise.catch(() => undefined);
    const deadlineMs = performance.now() + startTimeoutMs;
    const server = new Server(port, child);
    child.once('exit', (code, signal) => {
      if (!server.#isStopping) say(`${name} ended (${code ?? signal}). ${endOf(logFile)}`);
    });
    while (!(await Promise.race([failed.promise, takesRequests(port, isReady)]))) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} ended before it was ready`);
      if (performance.now() > deadlineMs) {
        await server.stop();
        throw new Error(`${name} was not ready after ${startTimeoutMs} ms`);
      }
      await pause(pollMs);
    }
    return server;
  }

  get cpuSeconds(): number {
    return cpuSecondsOf(this.#pid);
  }

  /** The same by the name of the thread, `main` first. */
  get threadCpuSeconds(): ReadonlyMap<string, number> {
    return threadCpuSecondsOf(this.#pid);
  }

  get residentMib(): number {
    return residentMibOf(this.#pid, 'VmRSS');
  }

  /** The most that it has had resident so far. */
  get mostResidentMib(): number {
    return residentMibOf(this.#pid, 'VmHWM');
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }

  get #pid(): number {
    return this.#child.pid ?? 0;
  }
}

async function takesRequests(port: number, isReady: Launch['isReady']): Promise<boolean> {
  if (!(await takesConnections(port))) return false;
  try {
    return isReady === undefined || (await isReady());
  } catch {
    // What is asked for it does not answer yet.
    return false;
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

const shownLines = 15;

function endOf(logFile: string): string {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-shownLines);
  return lines.join('') === '' ? 'It printed nothing.' : `The end of what it printed:\n${lines.join('\n')}`;
}
