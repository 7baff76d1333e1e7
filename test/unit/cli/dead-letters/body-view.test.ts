import { describe, expect, it } from 'vitest';
import { viewBody } from '../../../../cli/dead-letters/body-view.ts';
import { parseBody } from '../../../../ingest/tencent/json.ts';

function view(body: string | Buffer, path: string | null = null) {
  const bytes = Buffer.from(body);
  const parsed = parseBody(bytes, false);
  const { lines, marked, ...rest } = viewBody(bytes, parsed.ok ? parsed.body : undefined, path);
  return { ...rest, lines: lines.map((line, index) => (index === marked ? `> ${line}` : line)) };
}

describe('a body for people', () => {
  it('is JSON laid out, digit by digit, with the value that was wrong marked', () => {
    expect(view('{"a":{"b":[1,{"c/d":12345678901234567890}]},"e":[],"f":"g"}', '/a/b/1/c~1d')).toEqual({
      form: 'JSON',
      left: 0,
      lines: [
        '{',
        '  "a": {',
        '    "b": [',
        '      1,',
        '      {',
        '>         "c/d": 12345678901234567890',
        '      }',
        '    ]',
        '  },',
        '  "e": [],',
        '  "f": "g"',
        '}',
      ],
    });
  });

  it('marks the object in which a value is missing', () => {
    expect(view('{"a":{"b":1}}', '/a/c/d').lines).toEqual(['{', '>   "a": {', '    "b": 1', '  }', '}']);
    expect(view('{"a":1}', '/b').lines[0]).toBe('> {');
  });

  it('marks nothing when no value was wrong', () => {
    expect(view('{"a":1}').lines).toEqual(['{', '  "a": 1', '}']);
  });

  it('is text when it is no JSON, and bytes when it is no text', () => {
    expect(view('{"broken\nline')).toEqual({ form: 'text', left: 0, lines: ['{"broken', 'line'] });
    expect(view(Buffer.from([0, 0, 0, 0, 7, 0x41, 0xff]))).toEqual({
      form: 'bytes',
      left: 0,
      lines: [`000000  00 00 00 00 07 41 ff ${'   '.repeat(9)} .....A.`],
    });
  });

  it('is cut when it is long, and says how much is left out', () => {
    expect(view(Buffer.alloc(16 * 1_000, 0xff))).toMatchObject({
      left: 800,
      lines: expect.objectContaining({ length: 200 }),
    });
    const text = view('x'.repeat(5_000));
    expect(text.lines).toEqual([`${'x'.repeat(1_000)}… (5000 characters)`]);
  });

  it('shows the value that was wrong also when that is far down', () => {
    const list = Array.from({ length: 900 }, (_none, n) => n);
    const { lines, left } = view(JSON.stringify({ list }), '/list/700');
    expect(lines.slice(199)).toEqual([
      '    197,',
      '…',
      '    697,',
      '    698,',
      '    699,',
      '>     700,',
      '    701,',
      '    702,',
      '    703,',
    ]);
    expect(left).toBe(904 - 200 - 7);
  });
});
