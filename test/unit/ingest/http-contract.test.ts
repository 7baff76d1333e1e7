import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { DeadlineError } from '../../../ingest/publish/deadline.ts';
import { EventTooLargeError } from '../../../ingest/publish/prepared.ts';
import type { TranslatedEvent } from '../../../ingest/tencent/request.ts';
import { signOf } from '../../../ingest/tencent/signature.ts';
import { createTextPolicy } from '../../../ingest/tencent/text-policy.ts';
import type { Logger } from '../../../lib/logger.ts';
import { queryString, sdkAppId, smallestVerdict, someRules, verdictCommand } from '../../support/callbacks.ts';
import { anIngestApp, listening, metricOf, signedUrl, token } from '../../support/ingest-app.ts';

const ok = { ActionStatus: 'OK', ErrorInfo: '', ErrorCode: 0 };
const body = JSON.stringify(smallestVerdict);
const opened: FastifyInstance[] = [];

function setUp(options?: Parameters<typeof anIngestApp>[0]) {
  const parts = anIngestApp(options);
  opened.push(parts.app);
  const url = (command: string | undefined = verdictCommand, more?: Record<string, string>) =>
    signedUrl(command, parts.clock.nowMs(), more);
  const post = async (path: string, payload: string | Buffer = body, headers: Record<string, string> = {}) => {
    const response = await parts.app.inject({ method: 'POST', url: path, payload, headers });
    return { status: response.statusCode, answer: JSON.parse(response.body) as unknown, headers: response.headers };
  };
  return { ...parts, url, post };
}

function loggerTo(lines: string[]): Logger {
  const write = (...args: unknown[]) => lines.push(JSON.stringify(args));
  return { info: write, warn: write, error: write, debug: write, isLevelEnabled: () => true } as unknown as Logger;
}

function failure(status: number) {
  return expect.objectContaining({
    status,
    answer: { ActionStatus: 'FAIL', ErrorInfo: expect.any(String), ErrorCode: 1 },
  });
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
});

describe('a callback', () => {
  it.each(['/', '/callback'])('is taken at %s', async (path) => {
    const { url, post, published, metrics } = setUp();
    expect(await post(url().replace('/', path))).toMatchObject({ status: 200, answer: ok });
    expect(published.map(({ topic }) => topic)).toEqual(['verdict']);
    expect(await metricOf(metrics, 'ingest_answers_total', { durable: 'kafka' })).toBe(1);
    expect(await metricOf(metrics, 'ingest_events_total', { topic: 'verdict', command: verdictCommand })).toBe(1);
  });

  it('is answered only after its event is durable', async () => {
    const durable = Promise.withResolvers<'kafka'>();
    const { url, app } = setUp({ publish: () => durable.promise });
    let answered = false;
    const response = app.inject({ method: 'POST', url: url(), payload: body }).then((answer) => {
      answered = true;
      return answer;
    });
    for (let turns = 0; turns < 20; turns += 1) await turn();
    expect(answered).toBe(false);
    durable.resolve('kafka');
    expect((await response).statusCode).toBe(200);
  });

  it.each([
    'application/json',
    'application/json; charset=gbk',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'garbage;;;',
    '',
  ])('is read as JSON with Content-Type %j', async (type) => {
    const { url, post, published } = setUp();
    expect(await post(url(), body, { 'content-type': type })).toMatchObject({ status: 200 });
    expect(published[0]?.record).toBe('ContentVerdict');
  });

  it('without a Content-Type is read too', async () => {
    const { app, clock, published } = setUp();
    const { port } = await listening(app);
    const response = await raw(
      port,
      `POST ${signedUrl(verdictCommand, clock.nowMs())} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    expect(response).toMatch(/^HTTP\/1.1 200 /);
    expect(published[0]?.record).toBe('ContentVerdict');
  });

  it('that is authentic but unusable is answered OK once its dead letter is durable', async () => {
    const { url, post, published, metrics } = setUp();
    expect(await post(url(), '{"a":')).toMatchObject({ status: 200, answer: ok });
    expect(published[0]).toMatchObject({ record: 'DeadLetter', value: { reason: 'BODY_NOT_JSON' } });
    expect(await metricOf(metrics, 'ingest_dead_letters_total', { reason: 'BODY_NOT_JSON' })).toBe(1);
  });

  it('that breaks our translation is kept as a dead letter', async () => {
    const texts = {
      ...createTextPolicy('full', undefined),
      texts: () => {
        throw new TypeError('a bug');
      },
    };
    const { url, post, published } = setUp({ translation: { ...someRules(), texts } });
    expect(await post(url(), body)).toMatchObject({ status: 200 });
    expect(published[0]).toMatchObject({
      record: 'DeadLetter',
      value: { reason: 'UNEXPECTED', command: verdictCommand },
    });
  });

  it('whose event is too large for a record becomes a dead letter with the id and key that the event had', async () => {
    const published: TranslatedEvent[] = [];
    let tooLarge: TranslatedEvent | undefined;
    const publish = (events: readonly TranslatedEvent[]) => {
      if (events.some(({ record }) => record !== 'DeadLetter')) {
        tooLarge = events[0];
        return Promise.reject(new EventTooLargeError('5 MB'));
      }
      published.push(...events);
      return Promise.resolve('kafka' as const);
    };
    const { url, post } = setUp({ publish });
    const large = '{"From_Account":"jared","CtxcbResult":1,"EventTime":1700000000000}';
    expect(await post(url(), large)).toMatchObject({ status: 200, answer: ok });
    const { eventId, command } = tooLarge?.value ?? {};
    expect(published).toMatchObject([
      { record: 'DeadLetter', key: tooLarge?.key, value: { reason: 'EVENT_TOO_LARGE', eventId, command } },
    ]);
    const [letter] = published;
    expect(letter?.record === 'DeadLetter' && letter.value.body?.toString()).toBe(large);
  });

  it('whose event cannot be encoded is kept as a dead letter, and the log does not quote it', async () => {
    const published: TranslatedEvent[] = [];
    const lines: string[] = [];
    const publish = (events: readonly TranslatedEvent[]) => {
      if (events.some(({ record }) => record !== 'DeadLetter')) {
        return Promise.reject(new Error('invalid "string": a secret'));
      }
      published.push(...events);
      return Promise.resolve('kafka' as const);
    };
    const { url, post } = setUp({ publish, logger: loggerTo(lines) });
    expect(await post(url(), body)).toMatchObject({ status: 200, answer: ok });
    expect(published).toMatchObject([{ record: 'DeadLetter', value: { reason: 'UNEXPECTED' } }]);
    expect(lines.join()).toContain('while encoding');
    expect(lines.join()).not.toContain('a secret');
  });

  it('that cannot be kept is answered 503', async () => {
    const { url, post, metrics } = setUp({ publish: () => Promise.reject(new DeadlineError('late')) });
    expect(await post(url())).toEqual(failure(503));
    expect(await metricOf(metrics, 'ingest_answers_total', { durable: 'none' })).toBe(1);
  });

  it('that meets a bug of ours is answered 500, without its message', async () => {
    const { url, post } = setUp({ publish: () => Promise.reject(new TypeError('secret detail')) });
    const response = await post(url());
    expect(response).toEqual(failure(500));
    expect(JSON.stringify(response)).not.toContain('secret detail');
  });

  it('of a friend request is answered with an item for each account', async () => {
    const { url, post } = setUp();
    const request = JSON.stringify({ EventTime: 1, FriendItem: [{ To_Account: 'a' }] });
    expect((await post(url('Sns.CallbackPrevFriendAdd'), request)).answer).toEqual({
      ...ok,
      ResultItem: [{ To_Account: 'a', ResultCode: 0, ResultInfo: '' }],
    });
  });
});

describe('a URL check', () => {
  it.each(['', '{}', ' { } '])('with body %j is answered OK, counted, and writes nothing', async (payload) => {
    const { url, post, published, metrics } = setUp();
    expect(await post(url(undefined), payload)).toMatchObject({ status: 200, answer: ok });
    expect(published).toEqual([]);
    expect(await metricOf(metrics, 'ingest_url_checks_total')).toBe(1);
  });
});

describe('a refused request', () => {
  const nowMs = 1_700_000_000_000;
  const nowSec = nowMs / 1000;
  const app = `SdkAppid=${sdkAppId}`;
  const signed = `RequestTime=${nowSec}&Sign=${signOf(token, nowSec)}`;
  const staleSign = `RequestTime=${nowSec - 61}&Sign=${signOf(token, nowSec - 61)}`;

  it.each([
    ['another path', 'POST', `/other?${app}&${signed}`, 404, 'path'],
    ['another path, whatever the method', 'GET', `/other?${app}&${signed}`, 404, 'path'],
    ['GET', 'GET', `/?${app}&${signed}`, 405, 'method'],
    ['PUT on /callback', 'PUT', `/callback?${app}&${signed}`, 405, 'method'],
    ['no app', 'POST', `/?${signed}`, 403, 'app'],
    ['another app', 'POST', `/?SdkAppid=1&${signed}`, 403, 'app'],
    ['an app id in another spelling', 'POST', `/?SdkAppid=0${sdkAppId}&${signed}`, 403, 'app'],
    ['an app given twice', 'POST', `/?${app}&sdkappid=${sdkAppId}&${signed}`, 403, 'repeated_parameter'],
    ['no Sign', 'POST', `/?${app}&RequestTime=${nowSec}`, 403, 'sign_missing'],
    ['a wrong Sign', 'POST', `/?${app}&RequestTime=${nowSec}&Sign=${'0'.repeat(64)}`, 403, 'forged'],
    [
      'a right Sign of another time',
      'POST',
      `/?${app}&RequestTime=${nowSec + 1}&Sign=${signOf(token, nowSec)}`,
      403,
      'forged',
    ],
    ['a stale Sign', 'POST', `/?${app}&${staleSign}`, 403, 'stale'],
  ] as const)('with %s: %s %s is %i, counted as %s, and writes nothing', async (_what, method, url, status, reason) => {
    const { app: ingest, published, metrics } = setUp();
    const response = await ingest.inject({ method, url, payload: body });
    expect({ status: response.statusCode, answer: JSON.parse(response.body) }).toEqual(failure(status));
    expect(published).toEqual([]);
    expect(await metricOf(metrics, 'ingest_refused_total', { reason })).toBe(1);
    if (status === 405) expect(response.headers['allow']).toBe('POST');
  });

  it('over the size limit is 413, whether it says its size or not', async () => {
    const { url, post, app: ingest, published } = setUp();
    const large = Buffer.alloc(1025, 0x20);
    expect(await post(url(), large)).toEqual(failure(413));
    const { port } = await listening(ingest);
    const chunk = `${large.length.toString(16)}\r\n${large.toString()}\r\n0\r\n\r\n`;
    const response = await raw(port, `POST ${url()} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`);
    expect(response).toMatch(/^HTTP\/1.1 413 .*"ActionStatus":"FAIL"/s);
    expect(published).toEqual([]);
  });

  it('at the size limit is taken', async () => {
    const { url, post } = setUp();
    const exact = body.padEnd(1024);
    expect(await post(url(), exact)).toMatchObject({ status: 200 });
  });

  it('with any Content-Encoding is 415, but only after the signature', async () => {
    const { url, post } = setUp();
    expect(await post(url(), body, { 'content-encoding': 'gzip' })).toEqual(failure(415));
    expect(await post(url(), body, { 'content-encoding': 'identity' })).toEqual(failure(415));
    expect(await post(`/?${app}`, body, { 'content-encoding': 'gzip' })).toEqual(failure(403));
  });

  it('is refused for its signature before its size', async () => {
    const { post } = setUp();
    expect(await post(`/?${app}`, Buffer.alloc(5000, 0x20))).toEqual(failure(403));
  });
});

describe('an app without a token', () => {
  const apps = [{ sdkAppId, tokens: [] }];
  const unsigned = `/?${queryString(verdictCommand)}`;

  it('needs no Sign', async () => {
    expect(await setUp({ apps }).post(unsigned)).toMatchObject({ status: 200 });
  });

  it.each(['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'via', 'origin'])(
    'refuses a request with %s',
    async (header) => {
      const { post, metrics } = setUp({ apps });
      expect(await post(unsigned, body, { [header]: 'x' })).toEqual(failure(403));
      expect(await metricOf(metrics, 'ingest_refused_total', { reason: 'proxy_header' })).toBe(1);
    },
  );

  it('takes it from a proxy when that is allowed', async () => {
    const { post } = setUp({ apps, allowUnsigned: true });
    expect(await post(unsigned, body, { via: 'x' })).toMatchObject({ status: 200 });
  });

  it('leaves other apps signed', async () => {
    const { post } = setUp({ apps: [...apps, { sdkAppId: 7, tokens: [token] }] });
    expect(await post('/?SdkAppid=7')).toEqual(failure(403));
  });
});

describe('an app with two tokens', () => {
  it('takes either', async () => {
    const { app, clock } = setUp({ apps: [{ sdkAppId, tokens: ['old', 'new'] }] });
    const nowSec = Math.floor(clock.nowMs() / 1000);
    for (const each of ['old', 'new']) {
      const url = `/?${queryString(verdictCommand, { RequestTime: String(nowSec), Sign: signOf(each, nowSec) })}`;
      expect((await app.inject({ method: 'POST', url, payload: body })).statusCode).toBe(200);
    }
  });
});

describe('what never becomes a request', () => {
  it('is 400 when it is no HTTP', async () => {
    const { app, metrics } = setUp();
    const { port } = await listening(app);
    expect(await raw(port, 'HELLO\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"ActionStatus":"FAIL"/s);
    expect(await metricOf(metrics, 'ingest_refused_total', { reason: 'malformed' })).toBe(1);
  });

  it('is 400 when its path cannot be decoded', async () => {
    const { post } = setUp();
    expect(await post('/%zz')).toEqual(failure(400));
  });

  it('is 405 when it is CONNECT', async () => {
    const { app } = setUp();
    const { port } = await listening(app);
    expect(await raw(port, 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 405 /);
  });

  it('is taken whatever it expects', async () => {
    const { app, url } = setUp();
    const { port } = await listening(app);
    const headers = `Host: x\r\nExpect: something\r\nConnection: close\r\nContent-Length: ${body.length}`;
    expect(await raw(port, `POST ${url()} HTTP/1.1\r\n${headers}\r\n\r\n${body}`)).toMatch(/HTTP\/1.1 200 /);
  });

  it('is 431 when its headers are too large', async () => {
    const { app, url } = setUp();
    const { port } = await listening(app);
    const response = await raw(port, `POST ${url()} HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(response).toMatch(/^HTTP\/1.1 431 .*"ActionStatus":"FAIL"/s);
  });

  it.each([
    ['headers', ''],
    ['body', 'Content-Length: 100\r\n\r\n{"a"'],
  ])('is 408 when its %s does not arrive in time', async (_part, rest) => {
    const { app, url, metrics } = setUp({ requestTimeoutMs: 100 });
    const { port } = await listening(app);
    const response = await raw(port, `POST ${url()} HTTP/1.1\r\nHost: x\r\n${rest}`);
    expect(response).toMatch(/^HTTP\/1.1 408 .*"ActionStatus":"FAIL"/s);
    expect(await metricOf(metrics, 'ingest_refused_total', { reason: 'too_slow' })).toBe(1);
  });
});

describe('a connection', () => {
  it('is kept for the next request', async () => {
    const { app, url } = setUp();
    const { port } = await listening(app);
    const request = `POST ${url()} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const last = request.replace('Host: x', 'Host: x\r\nConnection: close');
    expect((await raw(port, request + last)).match(/HTTP\/1.1 200 /g)).toHaveLength(2);
  });
});

describe('a server that stops', () => {
  it('answers what has begun, and ends its connection with the answer', async () => {
    const durable = Promise.withResolvers<'kafka'>();
    const { app, url, published } = setUp({
      publish: (events) => {
        published.push(...events);
        return durable.promise;
      },
    });
    const { port } = await listening(app);
    const request = `POST ${url()} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = raw(port, request);
    await expect.poll(() => published.length).toBe(1);
    const closed = app.close();
    await expect.poll(() => app.server.listening).toBe(false);
    durable.resolve('kafka');
    expect(await answer).toMatch(/^HTTP\/1.1 200 .*connection: close/is);
    await closed;
  });
});

describe('the log', () => {
  it('never holds a query string, a token, a signature or a body', async () => {
    const lines: string[] = [];
    const { url, post } = setUp({ logger: loggerTo(lines) });
    const forged = `/?SdkAppid=${sdkAppId}&note=NOTE&RequestTime=1&Sign=${'0'.repeat(64)}`;
    await post(url(verdictCommand, { note: 'NOTE' }), JSON.stringify({ ...smallestVerdict, TextContent: ['TEXT'] }));
    await post(url(verdictCommand, { note: 'NOTE' }), '{"TEXT');
    await post(forged, 'TEXT');
    await post('/other?note=NOTE', 'TEXT');
    expect(lines.length).toBeGreaterThanOrEqual(4);
    expect(lines.join('\n')).not.toMatch(/NOTE|TEXT|Sign=|RequestTime|xxxxyyyy/);
  });
});

describe('ClockWatch', () => {
  it('suspects a clock while over a tenth of the signed requests of the last minutes are stale', async () => {
    const { clock, clockWatch, url, post } = setUp();
    const stale = () => signedUrl(verdictCommand, clock.nowMs() - 61_000);
    for (let count = 0; count < 9; count += 1) await post(url());
    await post(stale());
    expect(clockWatch.suspiciousStaleShare(clock.nowMs())).toBeUndefined();
    await post(stale());
    expect(clockWatch.suspiciousStaleShare(clock.nowMs())).toBeCloseTo(2 / 11);
    clock.advance(60_000);
    expect(clockWatch.suspiciousStaleShare(clock.nowMs())).toBeCloseTo(2 / 11);
    clock.advance(60_000);
    expect(clockWatch.suspiciousStaleShare(clock.nowMs())).toBeUndefined();
  });

  it('does not count forged requests', async () => {
    const { clock, clockWatch, post } = setUp();
    await post(`/?SdkAppid=${sdkAppId}&RequestTime=1&Sign=${'0'.repeat(64)}`);
    expect(clockWatch.suspiciousStaleShare(clock.nowMs())).toBeUndefined();
  });
});

/** Sends bytes over a connection of their own and returns all that comes back until it is closed. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  socket.write(text);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}
