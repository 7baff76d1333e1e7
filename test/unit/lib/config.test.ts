import { describe, expect, it } from 'vitest';
import { readSettings, type Sources } from '../../../lib/config/read.ts';
import { choice, flag, httpUrl, integer, json, list, text } from '../../../lib/config/setting.ts';
import { ConfigError } from '../../../lib/errors.ts';

const help = 'for a test';

function sources(
  env: Record<string, string>,
  file: Record<string, string> = {},
  running: Record<string, string> = {},
): Sources {
  return { env, file, running };
}

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('readSettings', () => {
  const settings = {
    port: integer('PORT', { help, default: 8080, min: 1, max: 65_535 }),
    mode: choice('MODE', ['full', 'none'], { help, default: 'full' }),
    token: text('TOKEN', { help, secret: true, shape: { pattern: /^\d+$/, expected: 'digits' } }),
  };

  it('takes the environment before .env before what runs here before the default', () => {
    expect(readSettings(settings, sources({ PORT: '1' }, { PORT: '2' }, { PORT: '3' })).port).toBe(1);
    expect(readSettings(settings, sources({}, { PORT: '2' }, { PORT: '3' })).port).toBe(2);
    expect(readSettings(settings, sources({}, {}, { PORT: '3' })).port).toBe(3);
    expect(readSettings(settings, sources({})).port).toBe(8080);
  });

  it('counts an empty or blank text as not set', () => {
    expect(readSettings(settings, sources({ PORT: '', TOKEN: '  ' }, { PORT: '2' }))).toEqual({
      port: 2,
      mode: 'full',
      token: undefined,
    });
  });

  it('names every wrong setting in one error, says where it stands, and hides secrets', () => {
    expect(
      problemsOf(() => readSettings(settings, sources({ PORT: '70000', TOKEN: 'sesame' }, { MODE: 'half' }))),
    ).toEqual([
      'PORT is "70000", expected an integer from 1 to 65535',
      'MODE (in .env) is "half", expected one of full, none',
      'TOKEN is the given value, expected digits',
    ]);
  });

  it('reports what settings taken together get wrong', () => {
    const check = (values: { port: number }): string[] => (values.port < 1024 ? ['PORT is too low'] : []);
    expect(problemsOf(() => readSettings(settings, sources({ PORT: '80' }), check))).toEqual(['PORT is too low']);
  });
});

describe('setting kinds', () => {
  it.each([
    ['integer', integer('N', { help, min: -1, max: 9 }), '-1', -1],
    ['flag true', flag('F', { help }), 'Yes', true],
    ['flag false', flag('F', { help }), '0', false],
    ['choice in any case', choice('C', ['hmac'], { help }), 'HMAC', 'hmac'],
    ['list with blanks', list('L', { help, item: /^\w+:\d+$/, expected: '' }), 'a:1, b:2', ['a:1', 'b:2']],
    ['address without its trailing slash', httpUrl('U', { help }), 'http://h:1/apis/', 'http://h:1/apis'],
    ['JSON', json('J', { help }, (value) => value), '{"a":1}', { a: 1 }],
  ])('%s is read', (_name, setting, given, expected) => {
    expect(setting.parse(given)).toEqual(expected);
  });

  it.each([
    ['integer', integer('N', { help, min: 0, max: 9 }), '1.0', 'an integer from 0 to 9'],
    ['flag', flag('F', { help }), 'maybe', 'true or false'],
    ['list', list('L', { help, item: /^\w+:\d+$/, expected: 'host:port' }), 'a:1,b', 'host:port'],
    ['address', httpUrl('U', { help }), 'ftp://h', 'an http:// or https:// address without user and query'],
    ['JSON', json('J', { help }, (value) => value), '{', 'JSON'],
  ])('%s refuses what it cannot be', (_name, setting, given, message) => {
    expect(() => setting.parse(given)).toThrow(message);
  });
});
