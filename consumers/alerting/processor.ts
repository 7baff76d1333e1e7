import type { Counter } from 'prom-client';
import type { Logger } from '../../lib/logger.ts';
import type { Alert } from '../../schemas/generated/events.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';
import type { Outcome, PartitionProcessor, Received } from '../runtime/processor.ts';
import type { Detector } from './detector.ts';

export interface AlertingOptions {
  /** Shared by the processors of all partitions: a spike is spread over them by its senders. */
  readonly detector: Detector;
  /** How far back the detector looks, in milliseconds. */
  readonly horizonMs: number;
  readonly alerts: Counter<'status'>;
  readonly logger: Logger;
}

const markIntervalMs = 1_000;

/** Feeds the verdicts of one partition to the detector, and gives out what it finds. */
export class AlertingProcessor implements PartitionProcessor<'ContentVerdict'> {
  readonly #options: AlertingOptions;
  /** First offset of each second that the detector still looks at, oldest first. */
  #marks: { readonly offset: bigint; readonly atMs: number }[] = [];

  constructor(options: AlertingOptions) {
    this.#options = options;
  }

  take({ value, offset }: Received<'ContentVerdict'>): Outcome {
    const last = this.#marks.at(-1);
    if (last === undefined || value.receivedAt >= last.atMs + markIntervalMs) {
      this.#marks.push({ offset, atMs: value.receivedAt });
    }
    return this.#options.detector.add(value) ? { kind: 'ok' } : { kind: 'skip', why: 'nothing was blocked' };
  }

  tick(nowMs: number): readonly TopicRecord[] {
    const { detector, horizonMs } = this.#options;
    this.#marks = this.#marks.filter(({ atMs }) => atMs + markIntervalMs >= nowMs - horizonMs);
    return detector.changes(nowMs).map((alert) => this.#recordOf(alert));
  }

  /** A restart reads the detector's window again. */
  resumeOffset(): bigint | undefined {
    return this.#marks[0]?.offset;
  }

  #recordOf(alert: Alert): TopicRecord<'alert'> {
    const { alerts, logger } = this.#options;
    const { fingerprint, status, summary, summaryZh, observed, expected, distinctSenders } = alert;
    alerts.inc({ status });
    logger.warn({ fingerprint, status, summary, summaryZh, observed, expected, distinctSenders }, 'alert');
    return { topic: 'alert', key: fingerprint, value: alert, timestampMs: alert.changedAt };
  }
}
