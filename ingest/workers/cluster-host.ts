import cluster, { type Worker } from 'node:cluster';
import type { Clock } from '../../lib/clock.ts';
import type { WorkerHost, WorkerListeners, WorkerProcess } from './host.ts';
import type { Answers, FromWorker, Question, ToWorker } from './messages.ts';
import { workerNumberName } from './worker-number.ts';

/**
 * Workers as processes of node:cluster, made with the command line of this one. This process holds the listening socket and hands
 * each connection to the next of them; a worker that closes its server gives back what is on its way to it.
 */
export class ClusterHost implements WorkerHost {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #clock: Clock;

  /** @param env variables of the workers, beside those of this process. */
  constructor(env: Readonly<Record<string, string | undefined>>, clock: Clock) {
    this.#env = env;
    this.#clock = clock;
    cluster.schedulingPolicy = cluster.SCHED_RR;
    // However this process ends, nothing is left that nobody looks after.
    process.on('exit', () => {
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
    });
  }

  start(number: number, listeners: WorkerListeners): WorkerProcess {
    const worker = cluster.fork({ ...this.#env, [workerNumberName]: String(number) });
    return new ClusterWorker(worker, listeners, this.#clock);
  }
}

class ClusterWorker implements WorkerProcess {
  readonly #worker: Worker;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, (answer: Answers[Question] | undefined) => void>();
  #asked = 0;

  constructor(worker: Worker, listeners: WorkerListeners, clock: Clock) {
    this.#worker = worker;
    this.#clock = clock;
    worker.on('message', (message: FromWorker) => this.#hear(message, listeners));
    let hasEnded = false;
    const end = (code: number | null, reason: string): void => {
      if (hasEnded) return;
      hasEnded = true;
      for (const resolve of this.#waiting.values()) resolve(undefined);
      listeners.onEnd({ code, reason });
    };
    worker.on('exit', (code: number | null, signal: string | null) => end(code, signal ?? `exit code ${code}`));
    worker.on('error', (error) => {
      // One that could not be made never says that it has ended; else it is a message that it does not take any more.
      if (this.pid === undefined) end(null, error.message);
    });
  }

  get pid(): number | undefined {
    return this.#worker.process.pid;
  }

  ask<Q extends Question>(question: Q, timeoutMs: number): Promise<Answers[Q] | undefined> {
    this.#asked += 1;
    const id = this.#asked;
    const { promise, resolve } = Promise.withResolvers<Answers[Question] | undefined>();
    const cancel = this.#clock.after(timeoutMs, () => resolve(undefined));
    this.#waiting.set(id, resolve);
    this.#say({ type: 'ask', id, question });
    return promise.finally(() => {
      cancel();
      this.#waiting.delete(id);
    }) as Promise<Answers[Q] | undefined>;
  }

  adopt(): void {
    this.#say({ type: 'adopt' });
  }

  retire(shedMs: number): void {
    this.#say({ type: 'retire', shedMs });
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#worker.process.kill(signal);
  }

  #say(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message);
  }

  #hear(message: FromWorker, listeners: WorkerListeners): void {
    switch (message.type) {
      case 'ready':
        listeners.onReady(message.addresses);
        break;
      case 'answer':
        this.#waiting.get(message.id)?.(message.answer);
        break;
      case 'leaving':
        listeners.onLeaving();
        break;
      case 'farewell':
        listeners.onFarewell(message.metrics);
        this.#say({ type: 'bye' });
        break;
    }
  }
}
