import type { Samples } from './management-client.ts';

/** What the services have done since they started, as one line that is renewed about once a second. */
export class StatusLine {
  #last = { acknowledged: 0, atMs: 0 };

  /** @param services the metrics of each service, `undefined` for one that does not answer. */
  text(services: readonly (Samples | undefined)[], nowMs: number): string {
    const sum = (name: string): number => services.reduce((total, samples) => total + (samples?.get(name) ?? 0), 0);
    const acknowledged = sum('ingest_answers_total{durable="kafka"}');
    const seconds = (nowMs - this.#last.atMs) / 1000;
    const perSecond =
      this.#last.atMs === 0 ? 0 : Math.max(0, Math.round((acknowledged - this.#last.acknowledged) / seconds));
    this.#last = { acknowledged, atMs: nowMs };
    const silent = services.filter((samples) => samples === undefined).length;
    return [
      ...(silent === 0 ? [] : [`${silent} services do not answer`]),
      `${acknowledged} acknowledged`,
      `${perSecond}/s`,
      `${sum('analytics_verdicts_total')} counted`,
      `${sum('penalties_ledger_entries_total{kind="STRIKE"}')} strikes`,
      `${sum('penalties_ledger_entries_total{kind="DECISION"}')} decisions`,
      `${sum('alerting_alerts_total{status="FIRING"}')} alerts`,
      `${sum('ingest_dead_letters_total') + sum('consumer_events_total{outcome="park"}')} dead letters`,
      `${sum('ingest_refused_total')} refused`,
      `${sum('ingest_queue_records')} waiting`,
    ].join('  ·  ');
  }
}
