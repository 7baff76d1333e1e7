import { note, print } from '../output.ts';
import type { LetterFilter } from './filter.ts';
import { Latest } from './latest.ts';
import { headOf, type PlacedLetter } from './letter.ts';
import { readLetters } from './read.ts';
import { listText, type Summary, summaryText } from './texts.ts';
import type { Tools } from './tools.ts';

export interface ListOptions {
  readonly limit: number;
  readonly summary?: boolean;
  readonly json?: boolean;
}

/** Lists the latest of the dead letters that `filter` means, or counts all of them. */
export async function list(tools: Tools, filter: LetterFilter, { limit, summary, json }: ListOptions): Promise<void> {
  const counts = new Counts();
  const latest = new Latest(limit);
  await readLetters({ ...tools, filter }, (placed) => {
    if (summary === true) counts.add(placed);
    else latest.add(placed);
  });
  if (summary === true) {
    if (json === true) for (const group of counts.groups) print(JSON.stringify(group));
    else print(counts.groups.length === 0 ? 'no dead letters' : summaryText(counts.groups));
    return;
  }
  const { letters, seen } = latest;
  if (json === true) for (const placed of letters) print(JSON.stringify(headOf(placed)));
  else print(letters.length === 0 ? 'no dead letters' : listText(letters));
  if (seen > letters.length) note(`the latest ${letters.length} of ${seen}; --limit shows more, --summary counts all`);
}

/** Counts dead letters by service, reason and command. */
export class Counts {
  readonly #groups = new Map<string, Summary>();

  add({ letter }: PlacedLetter): void {
    const { service, reason, command, firstFailedAt } = letter;
    const key = JSON.stringify([service, reason, command]);
    const { letters, latest } = this.#groups.get(key) ?? { letters: 0, latest: firstFailedAt };
    const now = { service, reason, command, letters: letters + 1, latest: Math.max(latest, firstFailedAt) };
    this.#groups.set(key, now);
  }

  /** The largest first. */
  get groups(): readonly Summary[] {
    return [...this.#groups.values()].toSorted((a, b) => b.letters - a.letters);
  }
}
