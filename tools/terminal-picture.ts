const columns = 118;
const fontPx = 13;
const lineHeightPx = 18;
const characterPx = 7.8;
const paddingPx = 16;

/** Colours of the picture by SGR code, as `styleText` writes them. */
const colours: Readonly<Record<string, string>> = { 31: '#ff6b68', 32: '#7bd88f', 33: '#f7d774' };

interface Style {
  readonly fill: string;
  readonly isBold: boolean;
}

const escapeCharacter = String.fromCharCode(27);

const plain: Style = { fill: '#d8dee9', isBold: false };
const dimmed = '#7f8896';

interface Piece extends Style {
  readonly text: string;
}

/** An SVG of a terminal that shows `lines`, with a title for those who do not see it; bold, dim, red, green and yellow are kept, long lines are cut. */
export function terminalPicture(title: string, lines: readonly string[]): string {
  const width = columns * characterPx + 2 * paddingPx;
  const height = lines.length * lineHeightPx + 2 * paddingPx;
  const rows = lines.map((line, index) => {
    const y = paddingPx + (index + 1) * lineHeightPx - 5;
    return `  <text x="${paddingPx}" y="${y}" xml:space="preserve">${cut(piecesOf(line)).map(spanOf).join('')}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${fontPx}">`,
    `  <title>${escaped(title)}</title>`,
    `  <rect width="100%" height="100%" rx="8" fill="#1b1f27"/>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function piecesOf(line: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let style = plain;
  for (const part of line.split(escapeCharacter)) {
    // Behind an escape comes a code; before the first one there is none.
    const [sequence = '', code] = /^\[(\d+)m/.exec(part) ?? [];
    if (code !== undefined) style = styled(style, code);
    if (part.length > sequence.length) pieces.push({ ...style, text: part.slice(sequence.length) });
  }
  return pieces;
}

function styled(style: Style, code: string): Style {
  const fill = colours[code];
  if (fill !== undefined) return { ...style, fill };
  if (code === '1') return { ...style, isBold: true };
  if (code === '2') return { ...style, fill: dimmed };
  if (code === '22') return plain;
  return code === '39' ? { ...style, fill: plain.fill } : style;
}

function cut(pieces: readonly Piece[]): readonly Piece[] {
  let room = columns;
  return pieces.flatMap((piece) => {
    const text = piece.text.length > room ? `${piece.text.slice(0, Math.max(0, room - 1))}…` : piece.text;
    if (room <= 0) return [];
    room -= piece.text.length;
    return [{ ...piece, text }];
  });
}

function spanOf({ text, fill, isBold }: Piece): string {
  return `<tspan fill="${fill}"${isBold ? ' font-weight="bold"' : ''}>${escaped(text)}</tspan>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
