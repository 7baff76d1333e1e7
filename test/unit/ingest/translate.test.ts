import { describe, expect, it } from 'vitest';
import { parseQuery } from '../../../ingest/tencent/query.ts';
import { translate } from '../../../ingest/tencent/translate.ts';
import {
  aRequest,
  eventOf,
  eventsOf,
  receivedAtMs,
  sdkAppId,
  smallestVerdict,
  someRules,
  translated,
  verdictCommand,
} from '../../support/callbacks.ts';

function reasonOf(parts: Parameters<typeof eventsOf>[0]): string {
  return eventOf('DeadLetter', parts).value.reason;
}

describe('a URL check', () => {
  it.each(['', '{}', ' { } '])('with body %j gives no event, with and without a command', (body) => {
    expect(translated({ command: verdictCommand, body })).toEqual({ kind: 'url-check' });
    expect(translated({ body })).toEqual({ kind: 'url-check' });
  });
});

describe('the command', () => {
  it('comes from the query, else from the body', () => {
    expect(eventOf('UnknownCallback', { command: 'A.B', body: { x: 1 } }).value.command).toBe('A.B');
    expect(eventOf('UnknownCallback', { body: { CallbackCommand: 'A.B' } }).value.command).toBe('A.B');
    expect(eventOf('ContentVerdict', { body: { CallbackCommand: verdictCommand, ...smallestVerdict } }).topic).toBe(
      'verdict',
    );
  });

  it('may stand in both when they agree, and is then left over nowhere', () => {
    expect(eventOf('UnknownCallback', { command: 'A.B', body: { CallbackCommand: 'A.B' } }).value.extras).toBeNull();
  });

  it.each([
    ['nowhere', {}, { a: 1 }, 'COMMAND_MISSING'],
    ['empty in both', { command: '' }, { CallbackCommand: '' }, 'COMMAND_MISSING'],
    ['different', { command: 'A.B' }, { CallbackCommand: 'A.C' }, 'COMMAND_MISMATCH'],
    ['of a wrong type', { command: 'A.B' }, { CallbackCommand: 1 }, 'FIELD_INVALID'],
  ])('%s makes a dead letter', (_where, query, body, reason) => {
    expect(reasonOf({ ...query, body })).toBe(reason);
  });
});

describe('the app', () => {
  it("in the body must be the query's", () => {
    expect(reasonOf({ command: 'A.B', body: { SdkAppId: 1 } })).toBe('APP_MISMATCH');
    expect(reasonOf({ command: 'A.B', body: { SdkAppId: '1' } })).toBe('APP_MISMATCH');
    expect(reasonOf({ command: 'A.B', body: { SdkAppId: {} } })).toBe('FIELD_INVALID');
    expect(eventOf('UnknownCallback', { command: 'A.B', body: { SdkAppId: sdkAppId } }).value.extras).toBeNull();
  });

  it('may be a text, which is then left over', () => {
    const { value } = eventOf('UnknownCallback', { command: 'A.B', body: { SdkAppId: String(sdkAppId) } });
    expect(value.extras).toBe(`{"SdkAppId":"${sdkAppId}"}`);
  });
});

describe('a body that cannot be read', () => {
  it.each([
    ['no JSON', '{"a"', 'BODY_NOT_JSON'],
    ['no object', '[1]', 'BODY_NOT_JSON'],
    ['too deep', `{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'BODY_TOO_DEEP'],
  ])('%s is kept whole as a dead letter', (_what, body, reason) => {
    const { value, key } = eventOf('DeadLetter', { command: verdictCommand, body });
    expect(value).toMatchObject({
      reason,
      service: 'ingest',
      command: verdictCommand,
      sdkAppId,
      receivedAt: receivedAtMs,
    });
    expect(value.body?.toString()).toBe(body);
    expect(key).toBe(`${sdkAppId}/`);
  });

  it('keeps the query without its signature', () => {
    const query = { Sign: 'abc', RequestTime: '1700000000', note: 'x' };
    const { value } = eventOf('DeadLetter', { command: 'A.B', query, body: '[]' });
    expect(value.query).toBe(`SdkAppid=${sdkAppId}&CallbackCommand=A.B&contenttype=json&RequestTime=1700000000&note=x`);
  });
});

describe('the envelope', () => {
  it('holds the query, its times in milliseconds', () => {
    const query = { ClientIP: '127.0.0.1', OptPlatform: 'IOS', RequestTime: '1669872112', RequestID: 'r-1' };
    expect(eventOf('UnknownCallback', { command: 'A.B', query, body: { a: 1 } }).value).toMatchObject({
      sdkAppId,
      command: 'A.B',
      receivedAt: receivedAtMs,
      occurredAt: null,
      clientIp: '127.0.0.1',
      optPlatform: 'IOS',
      requestId: 'r-1',
      requestTime: 1669872112000,
    });
  });

  it('leaves unknown and unreadable parameters under "?" in extras', () => {
    const query = { note: 'x', RequestTime: 'soon', contenttype: 'xml' };
    const { value } = eventOf('UnknownCallback', { command: 'A.B', query, body: { a: 1 } });
    expect(value.requestTime).toBeNull();
    expect(JSON.parse(value.extras ?? '')).toEqual({
      a: 1,
      '?': { note: 'x', RequestTime: 'soon', contenttype: 'xml' },
    });
  });
});

describe('a query with repeated unknown parameters', () => {
  it('leaves them all over, in order', () => {
    const text = `SdkAppid=${sdkAppId}&CallbackCommand=A.B&n=1&m=&n=2`;
    const request = {
      ...aRequest({ command: 'A.B', body: { EventTime: 1 } }),
      query: parseQuery(text),
      queryString: text,
    };
    const translation = translate(request, someRules());
    const [event] = translation.kind === 'events' ? translation.events : [];
    expect(event?.record === 'UnknownCallback' && event.value.extras).toBe(
      '{"EventTime":1,"?":{"n":["1","2"],"m":""}}',
    );
  });
});

describe('an unknown command', () => {
  it('is kept whole whatever its fields are, keyed by sender, else by group', () => {
    const keyOf = (body: object) => eventOf('UnknownCallback', { command: 'Group.New', body }).key;
    expect(keyOf({ From_Account: 'a', GroupId: 'g' })).toBe(`${sdkAppId}/a`);
    expect(keyOf({ GroupId: 'g' })).toBe(`${sdkAppId}/g`);
    expect(keyOf({ From_Account: 5, GroupId: 'g' })).toBe(`${sdkAppId}/g`);
    const odd = eventOf('UnknownCallback', { command: 'Group.New', body: { From_Account: 5, EventTime: 'x' } }).value;
    expect(odd).toMatchObject({ fromAccount: null, groupId: null, occurredAt: null });
    expect(odd.extras).toBe('{"From_Account":5,"EventTime":"x"}');
  });

  it.each(['Push.New', 'ContentCallback.Other', 'constructor', '__proto__'])(
    '%s is one, whatever its prefix',
    (command) => {
      expect(eventOf('UnknownCallback', { command, body: { a: 1 } })).toMatchObject({ topic: 'callback' });
    },
  );
});

describe('a push batch', () => {
  const item = { CallbackCommand: 'Push.OfflinePush', EventTime: 1700000000, From_Account: 'a', TaskId: 't' };

  it('is an event an item', () => {
    const events = eventsOf({ command: 'Push.OfflinePush', body: { Events: [item, { ...item, From_Account: 'b' }] } });
    expect(events.map(({ topic, key }) => [topic, key])).toEqual([
      ['push', `${sdkAppId}/a`],
      ['push', `${sdkAppId}/b`],
    ]);
    expect(events[0]?.value).toMatchObject({ command: 'Push.OfflinePush', occurredAt: 1700000000000 });
    expect(events[0]?.value.eventId).not.toBe(events[1]?.value.eventId);
  });

  it('makes a bad item alone a dead letter, which holds the item', () => {
    const [good, bad] = eventsOf({ command: 'Push.OfflinePush', body: { Events: [item, 'x'] } });
    expect(good?.record).toBe('PushEvent');
    expect(bad).toMatchObject({ record: 'DeadLetter', value: { reason: 'FIELD_INVALID', fieldPath: '/Events/1' } });
    expect(bad?.record === 'DeadLetter' && bad.value.body?.toString()).toBe('"x"');
  });

  it('tells equal items without a time or an id apart by their place, the same at each delivery', () => {
    const ids = () =>
      eventsOf({
        command: 'Push.OfflinePush',
        query: { RequestID: 'r-1' },
        body: { Events: [{ a: 1 }, { a: 1 }, 7, 7] },
      }).map(({ value }) => value.eventId);
    expect(new Set(ids()).size).toBe(4);
    expect(ids()).toEqual(ids());
  });

  it('names the path of a bad command or app inside its item', () => {
    const paths = eventsOf({
      command: 'Push.OfflinePush',
      body: { Events: [{ CallbackCommand: 1 }, { SdkAppId: 1 }] },
    }).map((event) => event.record === 'DeadLetter' && [event.value.reason, event.value.fieldPath]);
    expect(paths).toEqual([
      ['FIELD_INVALID', '/Events/0/CallbackCommand'],
      ['APP_MISMATCH', '/Events/1/SdkAppId'],
    ]);
  });

  it('gives nothing for an empty batch, and one dead letter for a body without a list', () => {
    expect(eventsOf({ command: 'Push.OfflinePush', body: { Events: [] } })).toEqual([]);
    expect(eventOf('DeadLetter', { command: 'Push.OfflinePush', body: { Events: {} } }).value).toMatchObject({
      reason: 'FIELD_INVALID',
      fieldPath: '/Events',
    });
  });

  it('takes 1000 items, ten times what is documented; one with more is a dead letter whole', () => {
    const batch = (count: number) => ({ command: 'Push.OfflinePush', body: { Events: Array(count).fill(item) } });
    expect(eventsOf(batch(1_000))).toHaveLength(1_000);
    expect(eventOf('DeadLetter', batch(1_001)).value).toMatchObject({ reason: 'FIELD_INVALID', fieldPath: '/Events' });
  });

  it('makes an item whose command belongs to another batch a dead letter', () => {
    const [event] = eventsOf({
      command: 'Push.OfflinePush',
      body: { Events: [{ ...item, CallbackCommand: 'Group.CallbackAfterSendMsg' }] },
    });
    expect(event?.record === 'DeadLetter' && [event.value.reason, event.value.fieldPath]).toEqual([
      'COMMAND_MISMATCH',
      '/Events/0/CallbackCommand',
    ]);
  });

  it('of which every item is bad is one dead letter that holds the whole body, when something stands around them', () => {
    const body = { Events: [7, 'x'], Total: 2 };
    const letter = eventOf('DeadLetter', { command: 'Push.OfflinePush', body });
    expect(letter.value.body?.toString()).toBe(JSON.stringify(body));
  });

  it('carries what stands around the items with the first event, once', () => {
    const events = eventsOf({ command: 'Push.OfflinePush', body: { Events: [7, item, item], Total: 1 } });
    const around = events.map((event) => event.record === 'PushEvent' && event.value.extras !== null);
    expect(around).toEqual([false, true, false]);
  });

  it('carries what stands around the items', () => {
    const [event] = eventsOf({ command: 'Push.OfflinePush', body: { Events: [item], Total: 1 } });
    expect(event?.record === 'PushEvent' && JSON.parse(event.value.extras ?? '')).toEqual({
      '?batch': { Total: 1 },
    });
  });
});

describe('answers', () => {
  function answerTo(command: string, body: object): unknown {
    const translation = translated({ command, body });
    return translation.kind === 'events' ? translation.answer : undefined;
  }

  it('allow each friend request that is asked about', () => {
    const item = (account: string) => ({ To_Account: account, ResultCode: 0, ResultInfo: '' });
    expect(answerTo('Sns.CallbackPrevFriendAdd', { FriendItem: [{ To_Account: 'a' }, { To_Account: 'b' }] })).toEqual({
      ResultItem: [item('a'), item('b')],
    });
    expect(answerTo('Sns.CallbackPrevFriendResponse', { ResponseFriendItem: [{ To_Account: 'a' }] })).toEqual({
      ResultItem: [item('a')],
    });
    expect(answerTo('Sns.CallbackPrevFriendAdd', { FriendItem: 'x' })).toEqual({ ResultItem: [] });
  });

  it('refuse nobody an invitation', () => {
    expect(answerTo('Group.CallbackBeforeInviteJoinGroup', { GroupId: 'g' })).toEqual({ RefusedMembers_Account: [] });
  });

  it('are plain for everything else', () => {
    expect(answerTo(verdictCommand, smallestVerdict)).toBeUndefined();
    expect(answerTo('Group.CallbackBeforeOfTomorrow', { MsgTime: 1 })).toBeUndefined();
  });
});

describe('eventId', () => {
  const rules = someRules();
  const idOf = (body: string | object, query?: Record<string, string>, by = rules) =>
    eventsOf({ command: 'A.B', body, ...(query && { query }) }, by)[0]?.value.eventId;

  it('is the same for a redelivery of a body with a time or an id of its own', () => {
    const first = idOf({ EventTime: 1 }, { RequestTime: '1', RequestID: 'r-1' });
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(idOf({ EventTime: 1 }, { RequestTime: '2', RequestID: 'r-2' })).toBe(first);
  });

  it('differs by body, command and app', () => {
    const first = idOf({ EventTime: 1 });
    expect(idOf({ EventTime: 2 })).not.toBe(first);
    expect(eventsOf({ command: 'A.C', body: { EventTime: 1 } }, rules)[0]?.value.eventId).not.toBe(first);
  });

  it('goes by RequestID for a body with neither, and is unique without one', () => {
    const body = { PairList: [] };
    expect(idOf(body, { RequestID: 'r-1' })).toBe(idOf(body, { RequestID: 'r-1' }));
    expect(idOf(body, { RequestID: 'r-1' })).not.toBe(idOf(body, { RequestID: 'r-2' }));
    expect(idOf(body)).not.toBe(idOf(body));
  });

  it('follows the same rule for dead letters', () => {
    expect(idOf('[', { RequestID: 'r-1' })).toBe(idOf('[', { RequestID: 'r-1' }));
    expect(idOf('[')).not.toBe(idOf('['));
    const verdictIds = [1, 2].map(
      () => eventOf('DeadLetter', { command: verdictCommand, body: { MsgID: '1' } }, rules).value.eventId,
    );
    expect(verdictIds[0]).toBe(verdictIds[1]);
  });

  it('depends on the secret when there is one', () => {
    const first = idOf({ EventTime: 1 }, undefined, someRules('full', 'one'));
    expect(idOf({ EventTime: 1 }, undefined, someRules('full', 'one'))).toBe(first);
    expect(idOf({ EventTime: 1 }, undefined, someRules('full', 'two'))).not.toBe(first);
    expect(idOf({ EventTime: 1 })).not.toBe(first);
  });

  it('is a known value, so that ids stay the same across versions', () => {
    // sha256("1400187352\nA.B\n\n" + '{"EventTime":1}'), first 32 digits, by coreutils' sha256sum.
    expect(idOf('{"EventTime":1}')).toBe('0ead4e510cb8a47dcb84981bf1cd1abd');
  });
});
