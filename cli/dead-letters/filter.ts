import { UserError } from '../../lib/errors.ts';
import type { PlacedLetter } from './letter.ts';

/** Which dead letters are meant; what is not given does not matter. Lists mean any of their words. */
export interface LetterFilter {
  readonly ids?: readonly string[];
  readonly reasons?: readonly string[];
  readonly commands?: readonly string[];
  readonly services?: readonly string[];
  readonly apps?: readonly number[];
  /** What the field path begins with. */
  readonly fieldPrefix?: string;
  /** Those that failed at this time or later. */
  readonly sinceMs?: number;
  /** Those that failed before this time. */
  readonly untilMs?: number;
}

/** The options of the command line that make a filter, as they were given. */
export interface FilterOptions {
  readonly id?: string;
  readonly reason?: string;
  readonly command?: string;
  readonly app?: string;
  readonly service?: string;
  readonly field?: string;
  readonly since?: string;
  readonly until?: string;
}

/** @throws {UserError} for a time or app that is none. */
export function filterOf(options: FilterOptions, nowMs: number): LetterFilter {
  const { id, reason, command, app, service, field, since, until } = options;
  return {
    ...(id !== undefined && { ids: words(id).map((word) => word.toLowerCase()) }),
    ...(reason !== undefined && { reasons: words(reason).map((word) => word.toUpperCase()) }),
    ...(command !== undefined && { commands: words(command) }),
    ...(service !== undefined && { services: words(service) }),
    ...(app !== undefined && { apps: words(app).map(appOf) }),
    ...(field !== undefined && { fieldPrefix: field }),
    ...(since !== undefined && { sinceMs: timeOf('--since', since, nowMs) }),
    ...(until !== undefined && { untilMs: timeOf('--until', until, nowMs) }),
  };
}

export function isEmpty(filter: LetterFilter): boolean {
  return Object.keys(filter).length === 0;
}

/** Whether a dead letter is one of those that are meant. */
export function matches(filter: LetterFilter, { letter }: PlacedLetter): boolean {
  const { ids, reasons, commands, services, apps, fieldPrefix, sinceMs, untilMs } = filter;
  return (
    isOneOf(ids, letter.eventId) &&
    isOneOf(reasons, letter.reason) &&
    isOneOf(commands, letter.command) &&
    isOneOf(services, letter.service) &&
    isOneOf(apps, letter.sdkAppId) &&
    (fieldPrefix === undefined || letter.fieldPath?.startsWith(fieldPrefix) === true) &&
    (sinceMs === undefined || letter.firstFailedAt >= sinceMs) &&
    (untilMs === undefined || letter.firstFailedAt < untilMs)
  );
}

function isOneOf<T>(wanted: readonly T[] | undefined, value: T | null): boolean {
  return wanted === undefined || (value !== null && wanted.includes(value));
}

function words(text: string): readonly string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function appOf(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new UserError(`--app is "${text}", expected an SDKAppID`);
  return Number(text);
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment: so long ago (90s, 30m, 2h, 7d), or an ISO time, which without a zone is UTC. */
function timeOf(option: string, text: string, nowMs: number): number {
  const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * (unitMs[unit] ?? 0);
  const isoTime = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
  const [, , , , zone] = isoTime.exec(text) ?? [];
  const timeMs = isoTime.test(text)
    ? Date.parse(text.includes('T') && zone === undefined ? `${text}Z` : text)
    : Number.NaN;
  if (Number.isNaN(timeMs)) {
    throw new UserError(
      `${option} is "${text}", expected a time like 2026-01-31T08:00:00Z or how long ago, like 30m, 2h, 7d`,
    );
  }
  return timeMs;
}
