import { isUtf8 } from 'node:buffer';
import { isExactNumber } from '../../ingest/tencent/json.ts';

/** A body as lines for people. */
export interface BodyView {
  readonly form: 'JSON' | 'text' | 'bytes';
  readonly lines: readonly string[];
  /** Index of the line at which the value that was wrong stands, or the object it is missing in. */
  readonly marked: number | undefined;
  /** Lines that are left out. */
  readonly left: number;
}

const maxLines = 200;
const maxLineCharacters = 1_000;
const bytesPerLine = 16;
/** Lines that stand around a marked one that would be left out. */
const around = 3;

/**
 * A body as a person reads it: JSON laid out with the value at `path` (a JSON Pointer) marked, else text, else bytes; long
 * ones cut. `value` is the parsed body, `undefined` when it is no JSON.
 */
export function viewBody(body: Buffer, value: unknown, path: string | null): BodyView {
  if (value !== undefined) {
    const laidOut = layOut(value, '', '');
    return cut(
      'JSON',
      laidOut.map(({ text }) => text),
      path === null ? undefined : lineOf(laidOut, path),
    );
  }
  return isUtf8(body)
    ? cut('text', body.toString().split('\n'), undefined)
    : cut(
        'bytes',
        hexDump(body.subarray(0, (maxLines + 1) * bytesPerLine)),
        undefined,
        Math.ceil(body.length / bytesPerLine),
      );
}

function cut(form: BodyView['form'], all: readonly string[], marked: number | undefined, total = all.length): BodyView {
  const lines = all.slice(0, maxLines).map(shortened);
  if (marked === undefined || marked < maxLines) return { form, lines, marked, left: total - lines.length };
  const from = Math.max(maxLines, marked - around);
  const more = all.slice(from, marked + around + 1).map(shortened);
  return {
    form,
    lines: [...lines, ...(from > maxLines ? ['…'] : []), ...more],
    marked: maxLines + (from > maxLines ? 1 : 0) + marked - from,
    left: total - lines.length - more.length,
  };
}

function shortened(line: string): string {
  if (line.length <= maxLineCharacters) return line;
  return `${line.slice(0, maxLineCharacters)}… (${line.length} characters)`;
}

interface LaidOut {
  readonly text: string;
  /** JSON Pointer of the value that begins here; `undefined` where one ends. */
  readonly path: string | undefined;
}

function layOut(value: unknown, path: string, indent: string): readonly LaidOut[] {
  if (typeof value !== 'object' || value === null || isExactNumber(value)) {
    return [{ text: isExactNumber(value) ? value.rawJSON : JSON.stringify(value), path }];
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return [{ text: open + close, path }];
  const inner = `${indent}  `;
  return [
    { text: open, path },
    ...entries.flatMap(([name, entry], index) => {
      const lines = layOut(entry, `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, inner);
      const comma = index === entries.length - 1 ? '' : ',';
      const label = isList ? '' : `${JSON.stringify(name)}: `;
      return lines.map((line, at) => ({
        ...line,
        text: `${at === 0 ? inner + label : ''}${line.text}${at === lines.length - 1 ? comma : ''}`,
      }));
    }),
    { text: indent + close, path: undefined },
  ];
}

/** The line of the value at `path`, else of the closest one around the place where it is missing. */
function lineOf(lines: readonly LaidOut[], path: string): number | undefined {
  for (let wanted = path; ; wanted = wanted.slice(0, wanted.lastIndexOf('/'))) {
    const found = lines.findIndex((line) => line.path === wanted);
    if (found >= 0 || wanted === '') return found >= 0 ? found : undefined;
  }
}

function hexDump(bytes: Buffer): readonly string[] {
  return Array.from({ length: Math.ceil(bytes.length / bytesPerLine) }, (_none, index) => {
    const row = bytes.subarray(index * bytesPerLine, (index + 1) * bytesPerLine);
    const hex = row
      .toString('hex')
      .replace(/../g, '$& ')
      .padEnd(3 * bytesPerLine);
    const text = row.toString('latin1').replace(/[^ -~]/g, '.');
    return `${(index * bytesPerLine).toString(16).padStart(6, '0')}  ${hex} ${text}`;
  });
}
