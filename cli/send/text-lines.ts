/** A line of a file, counted from 1. */
export interface TextLine {
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a text that comes in pieces, blank ones left out. Lines end at \n alone: node:readline also ends them at U+2028 and
 * U+2029, which may stand in JSON as they are.
 */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<TextLine> {
  let begun: string[] = [];
  let number = 1;
  for await (const piece of pieces) {
    const [first = '', ...others] = piece.split('\n');
    begun.push(first);
    for (const next of others) {
      yield* filled({ number, text: begun.join('') });
      number += 1;
      begun = [next];
    }
  }
  yield* filled({ number, text: begun.join('') });
}

function* filled({ number, text }: TextLine): Generator<TextLine> {
  const withoutMark = number === 1 ? text.replace(/^\ufeff/, '') : text;
  if (withoutMark.trim() !== '') yield { number, text: withoutMark };
}

/** More characters are no callback: ingest refuses bodies of 1 MiB. */
const maxWholeLength = 4 * 1024 * 1024;

/**
 * The JSON texts of a file that holds one a line, or one in all that may span lines. Only a file whose first line is no JSON is read
 * ahead to find out, and that only as far as a callback can be long.
 */
export async function* jsonTexts(lines: AsyncIterable<TextLine>): AsyncGenerator<TextLine> {
  const ahead: TextLine[] = [];
  let length = 0;
  let isLineByLine = false;
  for await (const line of lines) {
    if (!isLineByLine) {
      ahead.push(line);
      length += line.text.length;
      isLineByLine = (ahead.length === 1 && isJson(line.text)) || length > maxWholeLength;
      if (isLineByLine) yield* ahead.splice(0);
    } else yield line;
  }
  const [first] = ahead;
  if (first === undefined) return;
  const whole = ahead.map(({ text }) => text).join('\n');
  if (isJson(whole)) yield { number: first.number, text: whole };
  else yield* ahead;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
