import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearNames } from '../../../cli/near-names.ts';
import { readOutgoing } from '../../../cli/send/outgoing.ts';
import { jsonTexts, linesOf } from '../../../cli/send/text-lines.ts';
import { verdictCommand } from '../../support/callbacks.ts';
import { samples } from '../../support/samples.ts';

async function* pieces(...texts: readonly string[]): AsyncGenerator<string> {
  yield* texts;
}

function textsOf(...texts: readonly string[]) {
  return Array.fromAsync(jsonTexts(linesOf(pieces(...texts))));
}

describe('linesOf', () => {
  it('numbers lines as an editor does, wherever the text is cut into pieces, blank ones left out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: fc.constantFrom('a', '\n', ' ', 'é') })), async (texts) => {
        const found = await Array.fromAsync(linesOf(pieces(...texts)));
        const lines = texts.join('').split('\n');
        const expected = lines.map((text, index) => ({ number: index + 1, text }));
        expect(found).toEqual(expected.filter(({ text }) => text.trim() !== ''));
      }),
    );
  });

  it('does not end a line at U+2028, which may stand in JSON', async () => {
    expect(await Array.fromAsync(linesOf(pieces('{"a":"\u2028"}\n')))).toEqual([{ number: 1, text: '{"a":"\u2028"}' }]);
  });

  it('skips a byte order mark', async () => {
    expect(await Array.fromAsync(linesOf(pieces('\ufeff{}')))).toEqual([{ number: 1, text: '{}' }]);
  });
});

describe('the JSON texts of a file', () => {
  it('are its lines', async () => {
    expect(await textsOf('{"a":1}\n\n{"b":2}\n')).toEqual([
      { number: 1, text: '{"a":1}' },
      { number: 3, text: '{"b":2}' },
    ]);
  });

  it('are one in all when it spans lines, for example every sample', async () => {
    for (const { name, body } of samples) {
      const [only, ...others] = await textsOf(body);
      expect(others, name).toEqual([]);
      expect(JSON.parse(only?.text ?? ''), name).toEqual(JSON.parse(body));
    }
    expect(await textsOf('\n{\n  "a": 1\n}\n')).toEqual([{ number: 2, text: '{\n  "a": 1\n}' }]);
  });

  it('are its lines when the first one is bad, each with its number', async () => {
    expect(await textsOf('{"a":\n{"b":2}\n')).toEqual([
      { number: 1, text: '{"a":' },
      { number: 2, text: '{"b":2}' },
    ]);
  });

  it('come as the file is read: an endless file is no obstacle, whether its first line is good or bad', async () => {
    for (const first of ['{"first":1}\n', '{"first":\n']) {
      const endless = async function* (): AsyncGenerator<string> {
        yield first;
        for (;;) yield `{"text":"${'a'.repeat(10_000)}"}\n`;
      };
      const found: string[] = [];
      for await (const { text } of jsonTexts(linesOf(endless()))) {
        found.push(text);
        if (found.length === 3) break;
      }
      expect(found[0]).toBe(first.trim());
    }
  });
});

describe('a line', () => {
  it('is a bare body, sent as it stands, with the command that it names', () => {
    const text = ' {"CallbackCommand":"A.B", "a":1, "a":12345678901234567890}';
    expect(readOutgoing(text, undefined)).toEqual({ command: 'A.B', body: text, query: {} });
  });

  it('is a verdict when it names no command, and takes a batch for what its first item is', () => {
    expect(readOutgoing('{"CtxcbResult":1}', undefined).command).toBe(verdictCommand);
    expect(readOutgoing('{"Events":[{"CallbackCommand":"Push.OfflinePush"}]}', undefined).command).toBe(
      'Push.OfflinePush',
    );
  });

  it('has the command that is asked for, whatever it says', () => {
    expect(readOutgoing('{"CallbackCommand":"A.B"}', 'C.D').command).toBe('C.D');
    expect(readOutgoing('{"command":"A.B","body":{}}', 'C.D').command).toBe('C.D');
  });

  it('may be a body with command and query, numbers of the body with all digits', () => {
    const text = '{"command":"A.B","query":{"ClientIP":"::1","RequestTime":5},"body":{"a":12345678901234567890}}';
    expect(readOutgoing(text, undefined)).toEqual({
      command: 'A.B',
      query: { ClientIP: '::1', RequestTime: '5' },
      body: '{"a":12345678901234567890}',
    });
    expect(readOutgoing('{"body":{"CallbackCommand":"C.D"}}', undefined)).toMatchObject({ command: 'C.D', query: {} });
  });

  it.each([
    ['{"a":', /^no JSON \(.*\), expected a JSON object$/],
    ['5', /^a number, expected a JSON object$/],
    ['[{}]', /^an array, expected a JSON object$/],
    ['{"command":"A.B","body":"{}"}', /^body is a string, expected an object$/],
    ['{"command":"","body":{}}', /^command is empty, expected a CallbackCommand$/],
    ['{"command":7,"body":{}}', /^command is a number, expected a CallbackCommand$/],
    ['{"query":"a=1","body":{}}', /^query is a string, expected an object$/],
    ['{"query":{"a":null},"body":{}}', /^query\.a is null, expected a string or a number$/],
    ['{"command":"A.B","boddy":1,"body":{}}', /^unknown name "boddy", expected command, query, body$/],
  ])('%s is refused with what was expected', (text, message) => {
    expect(() => readOutgoing(text, undefined)).toThrow(message);
  });
});

describe('nearNames', () => {
  const names = ['Group.CallbackAfterSendMsg', 'C2C.CallbackAfterSendMsg', 'State.StateChange'];

  it('are the closest first: those that hold the text, then those with most letters in common', () => {
    expect(nearNames('statechange', names, 5)).toEqual(['State.StateChange']);
    expect(nearNames('C2C.AfterSendMsg', names, 5)).toEqual(['C2C.CallbackAfterSendMsg', 'Group.CallbackAfterSendMsg']);
    expect(nearNames('C2C.AfterSendMsg', names, 1)).toEqual(['C2C.CallbackAfterSendMsg']);
  });

  it('are none for a text that is like nothing', () => {
    expect(nearNames('zz', names, 5)).toEqual([]);
    expect(nearNames('', names, 5)).toEqual([]);
  });
});
