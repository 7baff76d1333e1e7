import type { Command } from '../ingest/tencent/commands.ts';
import { topicName } from '../schemas/topics.ts';

/** The table of commands for people: when each comes, and what becomes of it. */
export function commandTable(commands: ReadonlyMap<string, Command>): string {
  return [
    '| command | when | topic | key: `<sdkAppId>/` + first present of | record |',
    '|---|---|---|---|---|',
    ...Array.from(commands, ([command, { about, family, batch }]) => {
      const { topic, record, keys } = family;
      const key = keys.map((path) => path.join('/')).join(', ') || '–';
      const when = batch === undefined ? about : `${about} (a batch, an event each)`;
      return `| \`${command}\` | ${when} | \`${topicName('im', topic)}\` | ${key} | [\`${record}\`](schemas/README.md#${record.toLowerCase()}) |`;
    }),
    '',
  ].join('\n');
}

/** The commands that ask before something happens, with what may be answered. */
export function answerTable(commands: ReadonlyMap<string, Command>): string {
  return [
    '| command | words | own codes |',
    '|---|---|---|',
    ...Array.from(commands).flatMap(([command, { before }]) => {
      if (before === undefined) return [];
      const codes = before.codes === undefined ? '–' : `${before.codes[0]} to ${before.codes[1]}`;
      return [`| \`${command}\` | ${before.words.join(', ')} | ${codes} |`];
    }),
    '',
  ].join('\n');
}
