import type { Answers, Metric, Question } from './messages.ts';

export type Addresses = Readonly<Record<string, string>>;

/** How a process ended. */
export interface WorkerEnd {
  /** Where it has one. */
  readonly code: number | null;
  readonly reason: string;
}

/** A process that takes callbacks, as the supervisor sees it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** The answer to a question; `undefined` when none comes in time. */
  ask<Q extends Question>(question: Q, timeoutMs: number): Promise<Answers[Q] | undefined>;
  /** Has it take over what processes that have ended left in the spool. */
  adopt(): void;
  /** Has it end in order, after asking its clients for `shedMs` to close their connections. */
  retire(shedMs: number): void;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** What becomes of a process; each but the answers at most once. */
export interface WorkerListeners {
  /** It takes callbacks. */
  onReady(addresses: Addresses): void;
  /** Somebody else has asked it to stop; it serves on for a while. */
  onLeaving(): void;
  /** Its last numbers. */
  onFarewell(metrics: readonly Metric[]): void;
  onEnd(end: WorkerEnd): void;
}

/** Where processes come from. */
export interface WorkerHost {
  /** Starts a process that takes callbacks under `number`, which its log says. */
  start(number: number, listeners: WorkerListeners): WorkerProcess;
}
