import { describe, expect, it } from 'vitest';
import { placeOfItem, retranslate } from '../../../../cli/dead-letters/retranslate.ts';
import type { TranslatedEvent } from '../../../../ingest/tencent/request.ts';
import { eventsOf, receivedAtMs, sdkAppId, someRules, verdictCommand } from '../../../support/callbacks.ts';
import { aLetter, goodBody, lettersOf } from '../../../support/dead-letters.ts';

const rules = someRules();
const push = 'Push.OfflinePush';

/** The events that a letter is today; fails when it is anything else. */
function eventsIn(letter: ReturnType<typeof aLetter>): readonly TranslatedEvent[] {
  const found = retranslate(letter, rules);
  if (found.kind !== 'events') throw new Error(`expected events, got ${JSON.stringify(found)}`);
  expect(found.stays).toBeUndefined();
  return found.events;
}

describe('a callback in a dead letter', () => {
  it('that today is an event has the id, key and time of the letter, and the query that came with it', () => {
    const query = `SdkAppid=${sdkAppId}&CallbackCommand=${verdictCommand}&ClientIP=10.0.0.1&RequestID=r1`;
    const [event, ...others] = eventsIn(aLetter({ eventId: 'b'.repeat(32), query }));
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      topic: 'verdict',
      key: `${sdkAppId}/jared`,
      value: {
        eventId: 'b'.repeat(32),
        receivedAt: receivedAtMs,
        clientIp: '10.0.0.1',
        requestId: 'r1',
        fromAccount: 'jared',
        result: 'BLOCKED',
      },
    });
  });

  it('is exactly the event that ingest would make of the request today', () => {
    const [asReceived] = eventsOf({ command: verdictCommand, body: goodBody });
    expect(eventsIn(aLetter({ eventId: asReceived?.value.eventId ?? '' }))).toEqual([asReceived]);
  });

  it('that is still bad stays, with the reason and path of today', () => {
    const [letter] = lettersOf({ command: verdictCommand, body: { CtxcbResult: 7 } });
    expect(
      retranslate(aLetter({ body: letter?.body ?? null, reason: 'COMMAND_MISSING', fieldPath: null }), rules),
    ).toEqual({
      kind: 'stays',
      stays: {
        reason: 'FIELD_INVALID',
        fieldPath: '/CtxcbResult',
        detail: '/CtxcbResult is a number, expected 0 (let through) or 1 (intercepted); it is 7',
      },
    });
  });

  it('whose command only the body says is translated by that', () => {
    const letter = aLetter({
      query: `SdkAppid=${sdkAppId}`,
      body: Buffer.from('{"CallbackCommand":"A.B","EventTime":1}'),
    });
    expect(eventsIn(letter)).toMatchObject([{ topic: 'callback', value: { command: 'A.B' } }]);
  });

  it('that is blank today is nothing to write', () => {
    expect(retranslate(aLetter({ body: Buffer.from(' {} ') }), rules)).toMatchObject({ kind: 'nothing' });
  });

  it('that breaks the translation stays', () => {
    const texts = {
      ...rules.texts,
      texts: () => {
        throw new TypeError('a bug');
      },
    };
    expect(retranslate(aLetter(), { ...rules, texts })).toEqual({
      kind: 'stays',
      stays: { reason: 'UNEXPECTED', fieldPath: null, detail: 'imwatch fails on this body: a bug' },
    });
  });

  it.each([
    ['none', 'its body was not kept (IMWATCH_TEXT=none)'],
    ['hmac', 'its texts were kept as digests (IMWATCH_TEXT=hmac)'],
  ] as const)('of which IMWATCH_TEXT=%s kept no text is not attempted', (mode, why) => {
    const [letter] = lettersOf(
      { command: verdictCommand, body: { From_Account: 'jared', CtxcbResult: 7 } },
      someRules(mode, 'key'),
    );
    expect(retranslate(letter ?? aLetter(), rules)).toEqual({ kind: 'not-kept', why });
  });

  it('that was kept whole is translated by the text policy of today', () => {
    const body = Buffer.from('{"CtxcbResult":1,"MsgID":"1","TextContent":["a secret"]}');
    const found = retranslate(aLetter({ body }), someRules('hmac', 'key'));
    expect(JSON.stringify(found)).not.toContain('a secret');
    expect(found).toMatchObject({
      kind: 'events',
      events: [{ value: { textContent: [expect.stringMatching(/^hmac:/)] } }],
    });
  });
});

describe('an item of a batch', () => {
  const itemLetter = (item: unknown, more = {}) => {
    return aLetter({
      command: push,
      query: `CallbackCommand=${push}`,
      fieldPath: '/Events/3/Name',
      body: Buffer.from(JSON.stringify(item)),
      ...more,
    });
  };

  it('is translated as the item that it is, with the id of its letter', () => {
    const events = eventsIn(itemLetter({ EventTime: 1, From_Account: 'jared', Big: 1 }));
    expect(events).toMatchObject([
      { record: 'PushEvent', key: `${sdkAppId}/jared`, value: { command: push, eventId: 'a'.repeat(32) } },
    ]);
    expect(JSON.parse(events[0]?.record === 'PushEvent' ? (events[0].value.extras ?? '') : '')).toMatchObject({
      Big: 1,
    });
  });

  it('keeps the digits of its numbers', () => {
    const [event] = eventsIn(itemLetter({}, { body: Buffer.from('{"EventTime":1,"Big":12345678901234567890}') }));
    expect(event?.record === 'PushEvent' && event.value.extras).toContain('12345678901234567890');
  });

  it('whose batch named the command in its body only is translated as that command', () => {
    expect(eventsIn(itemLetter({ EventTime: 1 }, { query: `SdkAppid=${sdkAppId}` }))).toMatchObject([
      { value: { command: push } },
    ]);
  });

  it('that is still bad says so by its place in the batch it came in', () => {
    const body = { Events: [{ EventTime: 1 }, 'no object', { SdkAppId: 5, EventTime: 1 }] };
    const letters = lettersOf({ command: push, body });
    expect(letters.map((letter) => retranslate(letter, rules))).toEqual(
      letters.map(({ reason, fieldPath, detail }) => ({ kind: 'stays', stays: { reason, fieldPath, detail } })),
    );
    expect(letters.map(({ fieldPath }) => fieldPath)).toEqual(['/Events/1', '/Events/2/SdkAppId']);
  });

  it('is told from a whole body by what it holds', () => {
    const whole = lettersOf({ command: push, body: { Events: ['bad'], Note: 'around' } });
    expect(whole).toMatchObject([{ fieldPath: '/Events/0' }]);
    expect(whole.map(placeOfItem)).toEqual([undefined]);
    expect(placeOfItem(itemLetter({ EventTime: 1 }))).toEqual({ list: 'Events', path: '/Events/3' });
    expect(placeOfItem(itemLetter('no object'))).toEqual({ list: 'Events', path: '/Events/3' });
    expect(placeOfItem(itemLetter({ Events: ['of its own'] }))).toEqual({ list: 'Events', path: '/Events/3' });
    // A list at such a path in a body that is no batch.
    expect(placeOfItem(aLetter({ fieldPath: '/TextContent/0' }))).toBeUndefined();
  });
});

describe('a whole batch in a dead letter', () => {
  const whole = (body: object) =>
    aLetter({
      command: push,
      query: `CallbackCommand=${push}`,
      fieldPath: '/Events',
      body: Buffer.from(JSON.stringify(body)),
    });

  it('becomes an event an item, each with an id of its own, the same at each redrive', () => {
    const letter = whole({ Events: [{ EventTime: 1 }, { Name: 'no identity' }, { Name: 'no identity' }] });
    const ids = eventsIn(letter).map(({ value }) => value.eventId);
    expect(new Set([...ids, letter.eventId]).size).toBe(4);
    expect(eventsIn(letter).map(({ value }) => value.eventId)).toEqual(ids);
    // What can be told apart by itself has the id that a redelivery of the batch would give it.
    const [first] = eventsOf({ command: push, body: { Events: [{ EventTime: 1 }] } });
    expect(ids[0]).toBe(first?.value.eventId);
  });

  it('with items that are still bad gives the others, and stays', () => {
    expect(retranslate(whole({ Events: [{ EventTime: 1 }, 5] }), rules)).toMatchObject({
      kind: 'events',
      events: [{ record: 'PushEvent' }],
      stays: { reason: 'FIELD_INVALID', fieldPath: '/Events/1' },
    });
  });

  it('that is still too large stays', () => {
    expect(
      retranslate(whole({ Events: Array.from({ length: 1_001 }, () => ({ EventTime: 1 })) }), rules),
    ).toMatchObject({
      kind: 'stays',
      stays: { reason: 'FIELD_INVALID', fieldPath: '/Events' },
    });
  });

  it('that is empty today is nothing to write', () => {
    expect(retranslate(whole({ Events: [] }), rules)).toEqual({ kind: 'nothing', why: 'its batch is empty' });
  });
});
