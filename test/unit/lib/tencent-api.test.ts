import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type StandInOptions, TencentStandIn } from '../../../dev/tencent-api/stand-in.ts';
import { systemClock } from '../../../lib/clock.ts';
import { regions } from '../../../lib/config/apps.ts';
import { TencentApi } from '../../../lib/tencent-api/client.ts';
import { apiBase } from '../../../lib/tencent-api/domains.ts';
import { errorClassOf, TencentRefusedError, TencentUnavailableError } from '../../../lib/tencent-api/errors.ts';
import { userSig } from '../../../lib/tencent-api/user-sig.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** The inputs of the demo in Tencent's documents, with a time. */
const documented = {
  sdkAppId: 1_400_000_000,
  identifier: 'xiaojun',
  secretKey: '5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e',
  issuedAtSec: 1_700_000_000,
  validForSec: 86_400 * 180,
};

/** What Tencent's own package made of them. */
const official =
  'eJyrVgrxCdYrSy1SslIy0jNQ0gHzM1NS80oy0zLBwhWZiflZpXlQqeKU7MSCgswUJStDEwMogMiUZOamKlkZmqOKplYUZBaBxE1NTY3gosWZ6UpWSj5ljuYp*p7l5unBxXnF2WVhVU4uAf7Ozi5JpX7O5SbuHuUhzgZJmQXaTia2SrUAohcx8g__';

function unpacked(sig: string): string {
  const base64 = sig.replaceAll('*', '+').replaceAll('-', '/').replaceAll('_', '=');
  return inflateSync(Buffer.from(base64, 'base64')).toString();
}

describe('userSig', () => {
  it('holds what that of Tencent holds for the inputs of its documents', () => {
    expect(unpacked(userSig(documented))).toBe(unpacked(official));
    expect(unpacked(userSig(documented))).toBe(
      '{"TLS.ver":"2.0","TLS.identifier":"xiaojun","TLS.sdkappid":1400000000,"TLS.time":1700000000,"TLS.expire":15552000,"TLS.sig":"LvA7d/Iw7gSsnskvVzBDPOCCDbuNCw4GHwTC0bip+B4="}',
    );
  });

  it('is signed with the key as text', () => {
    const { 'TLS.sig': signature } = JSON.parse(unpacked(userSig({ ...documented, secretKey: 'key' }))) as Record<
      string,
      string
    >;
    const text = 'TLS.identifier:xiaojun\nTLS.sdkappid:1400000000\nTLS.time:1700000000\nTLS.expire:15552000\n';
    expect(signature).toBe(createHmac('sha256', 'key').update(text).digest('base64'));
  });

  it('has no letter that has a meaning in a URL', () => {
    for (let sdkAppId = 1; sdkAppId <= 200; sdkAppId += 1) {
      expect(userSig({ ...documented, sdkAppId })).toMatch(/^[A-Za-z0-9*\-_]+$/);
    }
  });
});

describe('apiBase', () => {
  it('is the domain of the region, and China without one', () => {
    expect(apiBase()).toBe('https://console.tim.qq.com');
    expect(apiBase('sg')).toBe('https://adminapisgp.im.qcloud.com');
    expect(new Set(regions.map(apiBase)).size).toBe(regions.length);
  });
});

describe('errorClassOf', () => {
  it.each([
    [60_007, 'retry'],
    [91_000, 'retry'],
    [70_001, 'sign-anew'],
    [20_023, 'done'],
    [60_026, 'permanent'],
    [1, 'permanent'],
  ] as const)('of %i is %s', (code, expected) => {
    expect(errorClassOf(code)).toBe(expected);
  });
});

const credentials = { sdkAppId: 1_400_000_000, adminAccount: 'admin & co', secretKey: 'a-secret-key' };

async function aStandIn(ipLists: StandInOptions['ipLists'], app = credentials) {
  const standIn = new TencentStandIn({ apps: [app], ...(ipLists !== undefined && { ipLists }) });
  const base = await standIn.start();
  onTestFinished(() => standIn.stop());
  return { standIn, base };
}

function anApi(base: string, clock = systemClock, more: Partial<typeof credentials> = {}): TencentApi {
  const api = new TencentApi({ ...credentials, ...more }, base, clock);
  onTestFinished(() => api.close());
  return api;
}

/** A server that answers however the test likes. */
async function aServer(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('TencentApi, on a stand-in of the REST API', () => {
  it('asks for the addresses of callbacks as documented', async () => {
    const { standIn, base } = await aStandIn({ 5: ['127.0.0.2', '183.192.202.0/25'], 6: ['203.0.113.0/24'] });
    const api = anApi(base);
    expect(await api.ipList(5)).toEqual(['127.0.0.2', '183.192.202.0/25']);
    expect(await api.ipList(6)).toEqual(['203.0.113.0/24']);
    const parameters = ['sdkappid', 'identifier', 'usersig', 'random', 'contenttype', 'nettype'];
    expect(standIn.calls).toEqual(Array(2).fill({ path: '/v4/ConfigSvc/GetIPList', parameters }));
  });

  it.each([
    ['another key', { secretKey: 'another' }, 70_009, 2],
    ['another administrator', { adminAccount: 'other' }, 60_010, 1],
    ['another app', { sdkAppId: 7 }, 60_012, 1],
  ])(
    'with %s is refused, after a second attempt where a new UserSig may help',
    async (_what, wrong, errorCode, calls) => {
      const { standIn, base } = await aStandIn({});
      const failed = anApi(base, systemClock, wrong).ipList(5);
      await expect(failed).rejects.toThrow(TencentRefusedError);
      await expect(failed).rejects.toMatchObject({ errorCode, retryable: false });
      expect(standIn.calls).toHaveLength(calls);
    },
  );

  it('signs anew when its UserSig has expired', async () => {
    const { standIn, base } = await aStandIn({ 5: ['127.0.0.2'] });
    const clock = new ManualClock(Date.now() - 5 * 86_400_000);
    const api = anApi(base, clock);
    await expect(api.ipList(5)).rejects.toMatchObject({ errorCode: 70_001, errorClass: 'sign-anew' });
    expect(standIn.calls).toHaveLength(2);
    clock.advance(5 * 86_400_000);
    expect(await api.ipList(5)).toEqual(['127.0.0.2']);
    expect(standIn.calls).toHaveLength(3);
  });

  it('that is over its rate may be asked again later', async () => {
    const { base } = await aStandIn({ 5: 60_007 });
    await expect(anApi(base).ipList(5)).rejects.toMatchObject({
      name: 'TencentUnavailableError',
      errorCode: 60_007,
      retryable: true,
      message: 'Tencent answers ConfigSvc/GetIPList with error 60007: as the test wants it',
    });
  });
});

describe('TencentApi', () => {
  it.each<[string, RequestListener, RegExp]>([
    ['502', (_request, response) => response.writeHead(502).end('bad gateway'), /HTTP status 502/],
    ['no JSON', (_request, response) => response.end('<html>'), /an answer that is no JSON/],
    ['no ErrorCode', (_request, response) => response.end('{"ActionStatus":"OK"}'), /an answer without ErrorCode/],
    [
      'no list',
      (_request, response) => response.end('{"ErrorCode":0,"IPList":"x"}'),
      /without a list of texts in IPList/,
    ],
    ['a broken connection', (request) => request.socket.destroy(), /does not answer/],
  ])('finds an answer with %s unavailable', async (_what, listener, message) => {
    const failed = anApi(await aServer(listener)).ipList(5);
    await expect(failed).rejects.toThrow(TencentUnavailableError);
    await expect(failed).rejects.toThrow(message);
  });

  it('waits longer than the 3 s after which Tencent gives up itself', async () => {
    const base = await aServer((_request, response) => {
      setTimeout(() => response.end('{"ErrorCode":91000,"ErrorInfo":"timeout"}'), 3_200);
    });
    await expect(anApi(base).ipList(5)).rejects.toMatchObject({ errorCode: 91_000 });
  }, 10_000);

  it('shows neither UserSig nor key, though Tencent sends them back', async () => {
    const base = await aServer((request, response) => {
      const sig = new URL(request.url ?? '', 'http://x').searchParams.get('usersig');
      response.end(JSON.stringify({ ErrorCode: 70_009, ErrorInfo: `bad ${sig} of ${credentials.secretKey}` }));
    });
    await expect(anApi(base).ipList(5)).rejects.toThrow(
      'Tencent answers ConfigSvc/GetIPList with error 70009: bad ******** of ********',
    );
  });
});
