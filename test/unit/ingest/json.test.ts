import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUrlCheck, maxDepth, parseBody } from '../../../ingest/tencent/json.ts';

function parsed(text: string | Buffer): unknown {
  const result = parseBody(Buffer.from(text as string), true);
  if (!result.ok) throw new Error(`${result.reason}: ${result.detail}`);
  return result.body;
}

/** JSON text again, which shows exact numbers digit by digit. */
function rewritten(text: string): string {
  return JSON.stringify(parsed(text));
}

function reasonOf(text: string | Buffer): string | undefined {
  const result = parseBody(Buffer.from(text as string), true);
  return result.ok ? undefined : result.reason;
}

function nested(levels: number): string {
  return `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;
}

describe('parseBody', () => {
  it.each([
    ['beyond 2^53', '{"n":12345678901234567890}'],
    ['with more digits than a double has', '{"n":0.1000000000000000055511151231257827}'],
    ['beyond the range of a double', '{"n":[1e400]}'],
    ['negative and large', '{"n":-9007199254740993}'],
  ])('keeps every digit of a number %s', (_what, text) => {
    expect(rewritten(text)).toBe(text);
  });

  it.each(['{"n":9007199254740991}', '{"n":0.5}', '{"n":-1.25}', '{"n":0}'])('gives %s as a plain number', (text) => {
    expect(parsed(text)).toEqual(JSON.parse(text));
    expect(typeof (parsed(text) as { n: unknown }).n).toBe('number');
  });

  it('takes the same value in another spelling as a plain number', () => {
    expect(parsed('{"a":1.0,"b":1E2,"c":1500000000000000000000}')).toEqual({ a: 1, b: 100, c: 1.5e21 });
  });

  it('reads a number of half a million digits without taking long', () => {
    const text = `{"n":1${'0'.repeat(500_000)}1}`;
    expect(rewritten(text)).toBe(text);
  });

  it('makes lone surrogates U+FFFD and leaves pairs alone', () => {
    expect(parsed('{"a":"x\\ud800y","b":"\\ud83d\\ude00"}')).toEqual({ a: 'x\ufffdy', b: '😀' });
  });

  it('lets the last of repeated names win and takes __proto__ as a name', () => {
    const body = parsed('{"a":1,"a":2,"__proto__":{"admin":true}}') as Record<string, unknown>;
    expect(body['a']).toBe(2);
    expect(Object.keys(body)).toEqual(['a', '__proto__']);
    expect(body['admin']).toBeUndefined();
  });

  it('skips a byte order mark', () => {
    expect(parsed('\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  it.each([
    ['broken JSON', '{"a":'],
    ['an array', '[{}]'],
    ['a string', '"x"'],
    ['null', 'null'],
    ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
    ['a byte that is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ])('refuses %s as BODY_NOT_JSON', (_what, text) => {
    expect(reasonOf(text)).toBe('BODY_NOT_JSON');
  });

  it('quotes a broken body only when texts may be shown', () => {
    const broken = Buffer.from('{"a": secret');
    expect(JSON.stringify(parseBody(broken, true))).toContain('secret');
    expect(JSON.stringify(parseBody(broken, false))).not.toContain('secret');
  });

  it(`takes ${maxDepth} levels and refuses one more, the body's own object being the first`, () => {
    expect(reasonOf(nested(maxDepth))).toBeUndefined();
    expect(reasonOf(nested(maxDepth + 1))).toBe('BODY_TOO_DEEP');
    expect(reasonOf(`{"a":${'['.repeat(64)}${']'.repeat(64)}}`)).toBe('BODY_TOO_DEEP');
    expect(reasonOf(`{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`)).toBe('BODY_TOO_DEEP');
  });

  it('reads what JSON.stringify writes, for any JSON object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parsed(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
});

describe('isUrlCheck', () => {
  it.each(['', ' \r\n\t', '{}', ' { \n } ', '\ufeff{}'])('%j is one', (text) => {
    expect(isUrlCheck(Buffer.from(text))).toBe(true);
  });

  it.each(['{"a":1}', '[]', '{', '{}x', 'null', '{{}}'])('%j is none', (text) => {
    expect(isUrlCheck(Buffer.from(text))).toBe(false);
  });

  it('a long blank body is one', () => {
    expect(isUrlCheck(Buffer.from(' '.repeat(100_000)))).toBe(true);
  });
});
