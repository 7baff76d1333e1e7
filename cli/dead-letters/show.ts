import { parseBody } from '../../ingest/tencent/json.ts';
import { UserError } from '../../lib/errors.ts';
import { topicName } from '../../schemas/topics.ts';
import { exitCodes } from '../exit-codes.ts';
import { note, print } from '../output.ts';
import { type LetterFilter, matches } from './filter.ts';
import { type PlacedLetter, placeOf, wholeOf } from './letter.ts';
import { readLetters } from './read.ts';
import { placeOfItem } from './retranslate.ts';
import { letterText } from './texts.ts';
import type { Tools } from './tools.ts';

/** Shows the dead letter of an `eventId`, the latest delivery of it, or the one at a `partition:offset`. */
export async function show(
  tools: Tools,
  wanted: string,
  { json, body }: { json?: boolean; body?: boolean },
): Promise<void> {
  const isPlace = /^\d+:\d+$/.test(wanted);
  if (!isPlace && !/^[0-9a-f]{32}$/i.test(wanted)) {
    throw new UserError(
      `"${wanted}" is no dead letter, expected an event id (32 hexadecimal digits) or partition:offset`,
    );
  }
  const filter: LetterFilter = isPlace ? {} : { ids: [wanted.toLowerCase()] };
  const found: PlacedLetter[] = [];
  await readLetters({ ...tools, filter }, (placed) => {
    if (matches(filter, placed) && (!isPlace || placeOf(placed) === wanted)) found.push(placed);
  });
  const latest = found.toSorted((a, b) => a.letter.firstFailedAt - b.letter.firstFailedAt).at(-1);
  if (latest === undefined) {
    note(`No dead letter ${wanted}; it may be older than what the topic keeps`);
    process.exitCode = exitCodes.problem;
    return;
  }
  if (body === true) writeBody(latest);
  else if (json === true) print(JSON.stringify(wholeOf(latest)));
  else print(await forPeople(tools, latest));
  if (found.length > 1)
    note(`${found.length} deliveries: ${found.map(placeOf).join(', ')}; this is ${placeOf(latest)}`);
}

function writeBody({ letter }: PlacedLetter): void {
  if (letter.body === null) {
    note('Its body was not kept');
    process.exitCode = exitCodes.problem;
    return;
  }
  process.stdout.write(letter.body);
}

async function forPeople({ attempts, topicPrefix }: Tools, placed: PlacedLetter): Promise<string> {
  return letterText(placed, {
    topic: topicName(topicPrefix, 'dead-letter'),
    attempt: await attempts.attempt(placed.letter),
    topicOf: (event) => attempts.topicOf(event),
    parsed: parsedBody(placed),
  });
}

function parsedBody({ letter }: PlacedLetter): { readonly value: unknown; readonly path: string | null } {
  const { body, fieldPath } = letter;
  const parsed = body === null ? undefined : parseBody(body, false);
  // The path of an item begins with its place in the batch, which the body does not have around it.
  const before = placeOfItem(letter)?.path ?? '';
  return {
    value: parsed?.ok === true ? parsed.body : undefined,
    path: fieldPath === null ? null : fieldPath.slice(before.length),
  };
}
