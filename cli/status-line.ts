import type { Samples } from './management-client.ts';

/** What ingest has done since it started, as one line that is renewed about once a second. */
export class StatusLine {
  #last = { acknowledged: 0, atMs: 0 };

  text(samples: Samples | undefined, nowMs: number): string {
    if (samples === undefined) return 'ingest does not answer';
    const acknowledged = samples.get('ingest_answers_total{durable="kafka"}') ?? 0;
    const seconds = (nowMs - this.#last.atMs) / 1000;
    const perSecond =
      this.#last.atMs === 0 ? 0 : Math.max(0, Math.round((acknowledged - this.#last.acknowledged) / seconds));
    this.#last = { acknowledged, atMs: nowMs };
    return [
      `${acknowledged} acknowledged`,
      `${perSecond}/s`,
      `${samples.get('ingest_dead_letters_total') ?? 0} dead letters`,
      `${samples.get('ingest_refused_total') ?? 0} refused`,
      `${samples.get('ingest_queue_records') ?? 0} waiting`,
    ].join('  ·  ');
  }
}
