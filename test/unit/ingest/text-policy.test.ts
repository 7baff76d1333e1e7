import { describe, expect, it } from 'vitest';
import { isDigested, type TextMode } from '../../../ingest/tencent/text-policy.ts';
import { eventsOf, someRules, verdictCommand } from '../../support/callbacks.ts';

const secretText = 'meet me at noon';

/** Bodies and queries with a secret text at every place where one may stand. */
const requests = [
  {
    command: verdictCommand,
    body: {
      From_Account: 'jared',
      TextContent: [secretText],
      CtxcbKeywords: [secretText],
      FileURL: `https://f/${secretText}`,
      CloudCustomData: secretText,
      CtxcbResult: 1,
      Extra: { deep: [secretText] },
      TextAgain: secretText,
    },
  },
  { command: verdictCommand, body: { TextContent: secretText, CtxcbResult: 1 } },
  {
    command: 'Group.CallbackAfterSendMsg',
    query: { note: secretText },
    body: { MsgBody: [{ MsgContent: { Text: secretText } }] },
  },
  { command: verdictCommand, query: { note: secretText }, body: { TextContent: [secretText], CtxcbResult: 7 } },
  { command: verdictCommand, body: { CtxcbResult: secretText } },
  { command: verdictCommand, body: `{"TextContent": ${secretText}` },
  { command: 'Push.OfflinePush', body: { Events: [secretText], Note: secretText } },
];

function written(mode: TextMode): string {
  const rules = someRules(mode, 'key');
  return requests
    .flatMap((request) => eventsOf(request, rules))
    .map(({ value }) =>
      JSON.stringify(value, (_name, field: unknown) => {
        const bytes = field as { type?: string; data?: number[] } | null;
        return bytes?.type === 'Buffer' ? Buffer.from(bytes.data ?? []).toString() : field;
      }),
    )
    .join('\n');
}

describe('IMWATCH_TEXT', () => {
  it('full keeps every text', () => {
    expect(written('full').split(secretText).length).toBeGreaterThan(10);
  });

  it.each(['hmac', 'none'] as const)(
    '%s lets no text through, in events, extras, queries and dead letters alike',
    (mode) => {
      expect(written(mode)).not.toContain(secretText);
      expect(written(mode)).not.toContain(encodeURIComponent(secretText));
      expect(written(mode)).not.toContain('noon');
    },
  );

  it('hmac gives the same digest for the same text and secret, so that it can be counted', () => {
    const digestsWith = (secret: string) => {
      const body = { TextContent: ['a', 'b', 'a'], CtxcbKeywords: ['a'], CtxcbResult: 0 };
      const [event] = eventsOf({ command: verdictCommand, body }, someRules('hmac', secret));
      if (event?.record !== 'ContentVerdict') throw new Error('expected a verdict');
      return [...event.value.textContent, ...event.value.keywords];
    };
    const [a, b, again, keyword] = digestsWith('key');
    expect(a).toMatch(/^hmac:[0-9a-f]{32}$/);
    expect([again, keyword]).toEqual([a, a]);
    expect(b).not.toBe(a);
    expect(digestsWith('other key')[0]).not.toBe(a);
  });

  it('hmac is a known value, so that digests stay comparable across versions', () => {
    // HMAC-SHA256("key", "text\0" + "a"), first 32 digits, by openssl.
    const [event] = eventsOf(
      { command: verdictCommand, body: { TextContent: ['a'], CtxcbResult: 0 } },
      someRules('hmac', 'key'),
    );
    expect(event?.record === 'ContentVerdict' && event.value.textContent).toEqual([
      'hmac:9c081222066970a2b5ddf01b479f0286',
    ]);
  });

  it('keeps accounts, labels and numbers, which penalties and counts need', () => {
    const [event] = eventsOf(
      { command: verdictCommand, body: { From_Account: 'jared', CtxcbLabel: 'Abuse', CtxcbResult: 1, Score: 99 } },
      someRules('hmac', 'key'),
    );
    expect(event?.value).toMatchObject({ fromAccount: 'jared', label: 'Abuse', extras: '{"Score":99}' });
  });

  it('none keeps no extras and no body', () => {
    const values = requests.flatMap((request) => eventsOf(request, someRules('none', 'key'))).map(({ value }) => value);
    for (const value of values) {
      if ('fieldPath' in value) expect(value.body).toBeNull();
      else expect(value.extras).toBeNull();
    }
  });
});

describe('a digested body', () => {
  const { texts } = someRules('hmac', 'key');
  const digested = (body: string) => isDigested(texts.body(Buffer.from(body)) ?? Buffer.alloc(0));

  it.each([
    ['of JSON', '{"From_Account":"jared","TextContent":["a","b"],"CtxcbResult":7}'],
    ['with an empty text', '{"EventTime":1,"Text":""}'],
    ['that is no JSON', '{"TextContent": meet me'],
    ['that is an item but no object', '"meet me"'],
    ['that was too large to be digested text by text', `{"Texts":[${'"a",'.repeat(40_000)}"a"]}`],
  ])('%s is known', (_what, body) => {
    expect(digested(body)).toBe(true);
  });

  it('that had no text is as it was received, and no digest', () => {
    expect(digested('{"CtxcbResult":7,"Big":12345678901234567890}')).toBe(false);
  });

  it('is not what a body is that only quotes a digest', () => {
    const quoted = `hmac:${'0'.repeat(32)}`;
    expect(isDigested(Buffer.from(JSON.stringify({ From_Account: 'jared', Text: quoted })))).toBe(false);
    expect(isDigested(Buffer.from('{"Text":"hmac:0"}'))).toBe(false);
  });
});
