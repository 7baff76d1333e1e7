import type { Alert, ContentVerdict } from '../../schemas/generated/events.ts';
import { contributorsOf, summaryOf, summaryZhOf } from './explain.ts';
import { Series, type WindowCount } from './series.ts';

/** What is looked at of a verdict, beside its time. */
export const watchedFields = ['sdkAppId', 'fromAccount', 'scene', 'label', 'result', 'suggestion'] as const;

/** A verdict as far as it is looked at. */
export type WatchedVerdict = Pick<ContentVerdict, 'receivedAt' | (typeof watchedFields)[number]>;

/** When a series is an incident: all of these together. */
export interface RateRule {
  readonly windowMs: number;
  readonly minVerdicts: number;
  readonly minSenders: number;
  readonly minRatio: number;
}

export const ruleName = 'abuse-rate';

/** An incident is over when the window holds less than this share of what it takes to be one. */
const resolveShare = 0.5;

interface Incident {
  readonly startedAt: number;
  /** What was usual before it; what happens during an incident is not. */
  readonly expected: number;
  /** It is not over before: after a restart the verdicts of its window have to be read again first. */
  readonly untilAtLeastMs: number;
}

interface Watched {
  readonly sdkAppId: number;
  readonly label: string;
  readonly series: Series;
  incident: Incident | undefined;
  /** What was usual before the last incident, for when the series does not reach back behind it. */
  lastExpected: number;
}

/** Finds out when many senders at once say what is blocked: an alert when it begins, and one when it is over. */
export class Detector {
  readonly #rule: RateRule;
  readonly #watched = new Map<string, Watched>();

  constructor(rule: RateRule) {
    this.#rule = rule;
  }

  /** Takes back, at `nowMs`, an incident that was firing before a restart, or is over. */
  restore({ fingerprint, status, sdkAppId, labels, startedAt, changedAt, expected }: Alert, nowMs: number): void {
    const watched = this.#watch(fingerprint, sdkAppId, labels['label'] ?? '', startedAt);
    watched.lastExpected = expected;
    if (status === 'FIRING') {
      watched.incident = { startedAt, expected, untilAtLeastMs: nowMs + this.#rule.windowMs };
    } else {
      watched.incident = undefined;
      watched.series.exclude(startedAt - this.#rule.windowMs, changedAt);
    }
  }

  /** Whether a verdict counts for the rule. */
  add(verdict: WatchedVerdict): boolean {
    if (verdict.result !== 'BLOCKED' && verdict.suggestion !== 'BLOCK') return false;
    const { sdkAppId, receivedAt, fromAccount, scene } = verdict;
    const label = verdict.label ?? '';
    const watched = this.#watch(fingerprintOf(sdkAppId, label), sdkAppId, label, receivedAt);
    watched.series.add(receivedAt, fromAccount ?? '', scene ?? '');
    return true;
  }

  /** The incidents that begin or end at `nowMs`. */
  changes(nowMs: number): readonly Alert[] {
    const alerts: Alert[] = [];
    for (const [fingerprint, watched] of this.#watched) {
      const { series, incident } = watched;
      const count = series.window(nowMs);
      if (incident === undefined) {
        const expected = series.expected(nowMs) ?? watched.lastExpected;
        if (this.#isIncident(count, expected)) {
          watched.incident = { startedAt: nowMs, expected, untilAtLeastMs: nowMs };
          watched.lastExpected = expected;
          alerts.push(this.#alert(fingerprint, watched, watched.incident, 'FIRING', count, nowMs));
        }
      } else if (nowMs >= incident.untilAtLeastMs && this.#isOver(count, incident)) {
        watched.incident = undefined;
        series.exclude(incident.startedAt - this.#rule.windowMs, nowMs);
        alerts.push(this.#alert(fingerprint, watched, incident, 'RESOLVED', count, nowMs));
      }
      if (!series.forget(nowMs) && watched.incident === undefined) this.#watched.delete(fingerprint);
    }
    return alerts;
  }

  #isIncident({ verdicts, senders }: WindowCount, expected: number): boolean {
    return verdicts >= this.#threshold(expected) && senders.size >= this.#rule.minSenders;
  }

  #isOver({ verdicts }: WindowCount, { expected }: Incident): boolean {
    return verdicts < resolveShare * this.#threshold(expected);
  }

  #threshold(expected: number): number {
    return Math.max(this.#rule.minVerdicts, this.#rule.minRatio * expected);
  }

  #watch(fingerprint: string, sdkAppId: number, label: string, sinceMs: number): Watched {
    const present = this.#watched.get(fingerprint);
    if (present !== undefined) return present;
    const series = new Series(this.#rule.windowMs, sinceMs);
    const watched = { sdkAppId, label, series, incident: undefined, lastExpected: 0 };
    this.#watched.set(fingerprint, watched);
    return watched;
  }

  #alert(
    fingerprint: string,
    { sdkAppId, label }: Watched,
    { startedAt, expected }: Incident,
    status: 'FIRING' | 'RESOLVED',
    count: WindowCount,
    nowMs: number,
  ): Alert {
    const { windowMs } = this.#rule;
    const about = { label, status, windowMs, verdicts: count.verdicts, senders: count.senders.size, expected };
    return {
      fingerprint,
      rule: ruleName,
      status,
      severity: 'warning',
      sdkAppId,
      labels: { label },
      startedAt,
      changedAt: nowMs,
      observed: count.verdicts,
      expected,
      ratio: count.verdicts / Math.max(1, expected),
      distinctSenders: count.senders.size,
      summary: summaryOf({ ...about, lastedMs: nowMs - startedAt }),
      summaryZh: summaryZhOf({ ...about, lastedMs: nowMs - startedAt }),
      contributors: contributorsOf(count),
    };
  }
}

function fingerprintOf(sdkAppId: number, label: string): string {
  return `${ruleName}/${sdkAppId}/${label}`;
}
