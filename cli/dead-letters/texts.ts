import type { TranslatedEvent } from '../../ingest/tencent/request.ts';
import { consumerReasons, ingestReasons, type ReasonText } from '../../schemas/dead-letter-reasons.ts';
import { bold, dim, escapeControls, red, table } from '../output.ts';
import type { Attempt } from './attempt.ts';
import { type BodyView, viewBody } from './body-view.ts';
import { type PlacedLetter, placeOf, sourceOf } from './letter.ts';
import type { PlanGroup } from './plan.ts';
import type { Stays } from './retranslate.ts';

const maxDetailCharacters = 120;

/** A line for each dead letter, under a heading. */
export function listText(letters: readonly PlacedLetter[]): string {
  const rows = letters.map((placed) => {
    const { letter } = placed;
    return [
      timeText(letter.firstFailedAt),
      letter.eventId,
      placeOf(placed),
      letter.service,
      letter.reason,
      letter.fieldPath ?? '-',
      letter.command ?? sourceOf(letter) ?? '-',
      shortened(letter.detail),
    ];
  });
  return tableText(
    ['failed at', 'event id', 'stands at', 'service', 'reason', 'path', 'command or record', 'detail'],
    rows,
  );
}

export interface Summary {
  readonly service: string;
  readonly reason: string;
  readonly command: string | null;
  readonly letters: number;
  readonly latest: number;
}

export function summaryText(groups: readonly Summary[]): string {
  const rows = groups.map(({ letters, service, reason, command, latest }) => {
    return [String(letters), service, reason, command ?? '-', timeText(latest)];
  });
  return tableText(['count', 'service', 'reason', 'command', 'latest'], rows);
}

/** What a redrive does, a line for each group. */
export function planText(groups: readonly PlanGroup[]): string {
  const rows = groups.map((group) => {
    return [String(group.letters), group.service, group.reason, group.command ?? '-', outcomeText(group)];
  });
  return tableText(['count', 'service', 'reason', 'command', 'today'], rows);
}

function outcomeText({ outcome, topics, today, why, records }: PlanGroup): string {
  const where = topics.join(', ');
  switch (outcome) {
    case 'event':
      return `${records === 1 ? 'an event' : `${records} events`} on ${where}`;
    case 'partly':
      return `${records} events on ${where}; stays for the items that are bad: ${staysText(today)}`;
    case 'record':
      return `${records === 1 ? 'the record' : `${records} records`} again on ${where}`;
    case 'stays':
      return `stays: ${staysText(today)}`;
    case 'nothing':
      return `nothing to write: ${why}`;
    case 'not-kept':
      return `cannot be redriven: ${why}`;
  }
}

function staysText(stays: Stays | null): string {
  return stays === null ? '' : shortened(`${stays.reason} ${stays.detail}`);
}

/** Everything about one dead letter, and what today's code makes of it. */
export function letterText(
  placed: PlacedLetter,
  details: {
    readonly topic: string;
    readonly attempt: Attempt;
    readonly topicOf: (event: TranslatedEvent) => string;
    /** The parsed body and the JSON Pointer within it of what was wrong. */
    readonly parsed: { readonly value: unknown; readonly path: string | null };
  },
): string {
  const { letter } = placed;
  const { topic, attempt, topicOf, parsed } = details;
  const meaning = reasonText(letter.reason)?.meaning;
  const facts: readonly (readonly [string, string | null])[] = [
    ['event id', letter.eventId],
    ['stands at', `${topic}[${placed.partition}]@${placed.offset}`],
    ['failed at', `${timeText(letter.firstFailedAt)}${letter.attempts > 1 ? `, ${letter.attempts} attempts` : ''}`],
    ['received at', timeText(letter.receivedAt)],
    ['service', letter.service],
    ['reason', meaning === undefined ? letter.reason : `${letter.reason}: ${meaning}`],
    ['path', letter.fieldPath],
    ['detail', letter.detail],
    ['command', letter.command],
    ['app', letter.sdkAppId === null ? null : String(letter.sdkAppId)],
    ['record', sourceOf(letter)],
    ['key', letter.key?.toString() ?? null],
    ['query', letter.query],
    ...Object.entries(letter.headers).map(([name, value]) => [`header ${name}`, value.toString()] as const),
    ['today', todayText(attempt, topicOf)],
    ['body', letter.body === null ? 'not kept' : null],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.flatMap(([name, text]) => {
    return text === null ? [] : [`${dim(escapeControls(name).padEnd(width))}  ${escapeControls(text)}`];
  });
  if (letter.body === null) return lines.join('\n');
  const view = viewBody(letter.body, parsed.value, parsed.path);
  return [...lines, `${dim('body'.padEnd(width))}  ${bodyHead(letter.body, view)}`, ...bodyText(view)].join('\n');
}

function bodyHead({ length }: Buffer, { form, left }: BodyView): string {
  return `${length} bytes, shown as ${form}${left > 0 ? `, ${left} lines left out (--body writes it whole)` : ''}`;
}

function bodyText({ lines, marked }: BodyView): readonly string[] {
  return lines.map((line, index) =>
    index === marked ? red(`> ${escapeControls(line)}`) : `  ${escapeControls(line)}`,
  );
}

function todayText(attempt: Attempt, topicOf: (event: TranslatedEvent) => string): string {
  switch (attempt.kind) {
    case 'events': {
      const topics = [...new Set(attempt.events.map(topicOf))].join(', ');
      const events = attempt.events.length === 1 ? 'an event' : `${attempt.events.length} events`;
      const rest = attempt.stays === undefined ? '' : `; stays for items that are bad: ${staysText(attempt.stays)}`;
      return `a redrive would write ${events} on ${topics}${rest}`;
    }
    case 'record':
      return `a redrive would write the record again on ${attempt.record.topic}`;
    case 'stays':
      return `a redrive would leave it: ${staysText(attempt.stays)}`;
    case 'nothing':
      return `a redrive would write nothing: ${attempt.why}`;
    case 'not-kept':
      return `cannot be redriven: ${attempt.why}`;
  }
}

function reasonText(reason: string): ReasonText | undefined {
  const reasons: Readonly<Record<string, ReasonText>> = { ...ingestReasons, ...consumerReasons };
  return Object.hasOwn(reasons, reason) ? reasons[reason] : undefined;
}

function tableText(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const [head = '', ...lines] = table([heading, ...rows.map((row) => row.map(escapeControls))]).split('\n');
  return [bold(head), ...lines].join('\n');
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function shortened(text: string): string {
  return text.length <= maxDetailCharacters ? text : `${text.slice(0, maxDetailCharacters)}…`;
}
