import type { Random } from './random.ts';
import { hourOfSqueezedDay, peakRate, rateAtHour } from './time-of-day.ts';

export interface ArrivalOptions {
  readonly random: Random;
  /** How many a second, as a mean over the day. */
  readonly perSecond: number;
  readonly durationMs: number;
  /** How long a day of more and less traffic takes; not given: as much at any time. */
  readonly dayMs: number | undefined;
}

/** Times at which one of many independent people does something: a Poisson process, by the hour of the day. */
export function* arrivals({ random, perSecond, durationMs, dayMs }: ArrivalOptions): Generator<number> {
  const most = perSecond * (dayMs === undefined ? 1 : peakRate);
  for (let atMs = 0; atMs < durationMs; atMs += (-Math.log(1 - random()) * 1_000) / most) {
    // Thinned out: of those at the peak's rate only as many stay as belong to the hour.
    const isThere = dayMs === undefined || random() * peakRate < rateAtHour(hourOfSqueezedDay(atMs, dayMs));
    if (isThere) yield atMs;
  }
}

/** Times at even distances. */
export function* everyMs(intervalMs: number, fromMs: number, untilMs: number): Generator<number> {
  for (let atMs = fromMs; atMs < untilMs; atMs += intervalMs) yield atMs;
}
