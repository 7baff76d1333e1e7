import { consumerReasons, ingestReasons, type ReasonText } from '../schemas/dead-letter-reasons.ts';

/** The table of all reasons of dead letters, those of ingest first. */
export function reasonsTable(): string {
  return [
    '| reason | written by | what it means | what mends it |',
    '|---|---|---|---|',
    ...rows('ingest', ingestReasons),
    ...rows('consumers', consumerReasons),
    '',
  ].join('\n');
}

function rows(writtenBy: string, reasons: Readonly<Record<string, ReasonText>>): readonly string[] {
  return Object.entries(reasons).map(([reason, { meaning, remedy }]) => {
    return `| \`${reason}\` | ${writtenBy} | ${meaning} | ${remedy} |`;
  });
}
