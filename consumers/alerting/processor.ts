import type { Counter } from 'prom-client';
import type { Logger } from '../../lib/logger.ts';
import type { Alert } from '../../schemas/generated/events.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';
import type { AnyEvent, Outcome, PartitionProcessor, Received } from '../runtime/processor.ts';
import type { Detector, WatchedVerdict } from './detector.ts';

export interface AlertingOptions {
  /** Shared by the processors of all partitions: a spike is spread over them by its senders. */
  readonly detector: Detector;
  readonly alerts: Counter<'status'>;
  readonly logger: Logger;
}

/** Feeds the verdicts of one partition to the detector, and gives out what it finds. */
export class AlertingProcessor implements PartitionProcessor<AnyEvent & WatchedVerdict> {
  readonly #options: AlertingOptions;

  constructor(options: AlertingOptions) {
    this.#options = options;
  }

  take({ value }: Received<AnyEvent & WatchedVerdict>): Outcome {
    return this.#options.detector.add(value) ? { kind: 'ok' } : { kind: 'skip', why: 'nothing was blocked' };
  }

  tick(nowMs: number): readonly TopicRecord[] {
    return this.#options.detector.changes(nowMs).map((alert) => this.#recordOf(alert));
  }

  #recordOf(alert: Alert): TopicRecord<'alert'> {
    const { alerts, logger } = this.#options;
    const { fingerprint, status, summary, summaryZh, observed, expected, distinctSenders } = alert;
    alerts.inc({ status });
    logger.warn({ fingerprint, status, summary, summaryZh, observed, expected, distinctSenders }, 'alert');
    return { topic: 'alert', key: fingerprint, value: alert, timestampMs: alert.changedAt };
  }
}
