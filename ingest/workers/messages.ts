import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { Readiness } from '../../lib/management-server.ts';
import type { ReadyMessage } from '../../lib/run-service.ts';

/** A metric with its values, as one process has it. */
export type Metric = MetricObjectWithValues<MetricValue<string>>;

/** What the supervisor may ask a worker, and what comes back. */
export interface Answers {
  readonly readiness: Readiness;
  readonly metrics: readonly Metric[];
}
export type Question = keyof Answers;

/** What the supervisor says to a worker. */
export type ToWorker =
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** Processes have ended: take over what they left in the spool. */
  | { readonly type: 'adopt' }
  /** End in order, after asking clients for `shedMs` to close their connections. */
  | { readonly type: 'retire'; readonly shedMs: number }
  /** The farewell has come, and with it all that was said before it. */
  | { readonly type: 'bye' };

/** What a worker says to the supervisor. */
export type FromWorker =
  | ReadyMessage
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answers[Question] }
  /** It has been asked to stop by somebody else, and serves on for a while. */
  | { readonly type: 'leaving' }
  /** It takes nothing any more, and ends when it has heard `bye`. */
  | { readonly type: 'farewell'; readonly metrics: readonly Metric[] };
