import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** One of the servers that are compared, as a process of its own. */
export class Candidate {
  readonly name: string;
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(name: string, url: string, child: ChildProcess) {
    this.name = name;
    this.url = url;
    this.#child = child;
  }

  /** Starts `node <args>` and resolves when it takes connections on `port` and `isReady` says so. */
  static async start(
    name: string,
    port: number,
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
    isReady: () => Promise<boolean> = () => Promise.resolve(true),
  ): Promise<Candidate> {
    const child = spawn(process.execPath, args, { env: { ...env }, stdio: ['ignore', 'ignore', 'inherit'] });
    while (!(await takesConnections(port)) || !(await isReady())) {
      if (child.exitCode !== null) throw new Error(`${name} ended with code ${child.exitCode}`);
      await pause(100);
    }
    return new Candidate(name, `http://127.0.0.1:${port}`, child);
  }

  /** Processor time that it has used so far, in seconds. Linux only. */
  get cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const ticks = Number(fields[11]) + Number(fields[12]);
    return ticks / ticksPerSecond;
  }

  get residentMib(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}

/** What Linux counts processor time in, on every platform that Node runs on. */
const ticksPerSecond = 100;

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
