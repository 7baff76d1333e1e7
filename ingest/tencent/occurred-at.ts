import type { BodyReader } from './body-reader.ts';
import { isExactNumber, type JsonValue } from './json.ts';

/** Below this an EventTime is in seconds: as milliseconds it would lie before March 1973, as seconds the year 5138. */
const smallestPlausibleMs = 1e11;
const largestMs = 8.64e15;

const numericText = /^\d{1,16}$/;

/**
 * When a callback happened, in epoch milliseconds: EventTime, else MsgTime or LastReadTime (seconds), else the time part of a
 * MsgKey (`<seq>_<random>_<seconds>`, which a C2C verdict carries as MsgID), else null.
 *
 * EventTime has three traps: it is milliseconds, but seconds in Push batches; it may be a text; many bodies have none.
 * A plain number in the unit of its family is held exactly by `occurredAt`, everything else stays left over as well.
 */
export function readOccurredAt(reader: BodyReader, unit: 'ms' | 's'): number | null {
  const eventTime = reader.peek('EventTime');
  const atMs = eventTimeMs(eventTime);
  if (atMs !== null) {
    if (eventTime === (unit === 'ms' ? atMs : atMs / 1000)) reader.take('EventTime');
    return atMs;
  }
  return (
    secondsAsMs(reader.peek('MsgTime')) ??
    secondsAsMs(reader.peek('LastReadTime')) ??
    msgKeyTimeMs(reader.peek('MsgKey')) ??
    msgKeyTimeMs(reader.peek('MsgID'))
  );
}

/** Whether `value` is of a type that EventTime may have: a number, a text of digits, or nothing. */
export function mayBeEventTime(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || typeof value === 'number' || isExactNumber(value)) return true;
  return typeof value === 'string' && /^\d+$/.test(value);
}

function eventTimeMs(value: JsonValue | undefined): number | null {
  const number = numberOf(value);
  if (number === null) return null;
  return plausible(number < smallestPlausibleMs ? number * 1000 : number);
}

function secondsAsMs(value: JsonValue | undefined): number | null {
  const number = numberOf(value);
  return number === null ? null : plausible(number * 1000);
}

function msgKeyTimeMs(value: JsonValue | undefined): number | null {
  const parts = typeof value === 'string' ? /^\d+_\d+_(\d+)$/.exec(value) : null;
  return parts === null ? null : secondsAsMs(parts[1]);
}

function numberOf(value: JsonValue | undefined): number | null {
  if (typeof value === 'string') return numericText.test(value) ? Number(value) : null;
  return typeof value === 'number' && Number.isSafeInteger(value) && !isExactNumber(value) ? value : null;
}

function plausible(atMs: number): number | null {
  return atMs > 0 && atMs <= largestMs ? atMs : null;
}
