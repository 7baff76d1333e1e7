import type { WorkerEnd, WorkerHost, WorkerListeners, WorkerProcess } from '../../ingest/workers/host.ts';

/** A worker without a process: says what the test says, and notes what it is told. */
export class StandInWorker implements WorkerProcess {
  readonly pid: number;
  readonly number: number;
  readonly told: string[] = [];
  readonly #listeners: WorkerListeners;

  constructor(pid: number, number: number, listeners: WorkerListeners) {
    this.pid = pid;
    this.number = number;
    this.#listeners = listeners;
  }

  ask(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  adopt(): void {
    this.told.push('adopt');
  }

  retire(shedMs: number): void {
    this.told.push(`retire ${shedMs}`);
  }

  kill(signal: string): void {
    this.told.push(signal);
  }

  ready(): void {
    this.#listeners.onReady({ callbacks: 'http://here' });
  }

  leaving(): void {
    this.#listeners.onLeaving();
  }

  end(end: Partial<WorkerEnd> = {}): void {
    this.#listeners.onEnd({ code: 0, reason: 'exit code 0', ...end });
  }

  crash(): void {
    this.end({ code: null, reason: 'SIGKILL' });
  }
}

/** Starts stand-ins, numbered by `pid` from 1 in the order of their start. */
export class StandInHost implements WorkerHost {
  readonly started: StandInWorker[] = [];

  start(number: number, listeners: WorkerListeners): StandInWorker {
    const worker = new StandInWorker(this.started.length + 1, number, listeners);
    this.started.push(worker);
    return worker;
  }

  /** The one that was started as the `pid`th. */
  worker(pid: number): StandInWorker {
    const worker = this.started[pid - 1];
    if (worker === undefined) throw new Error(`Only ${this.started.length} workers have been started`);
    return worker;
  }
}
