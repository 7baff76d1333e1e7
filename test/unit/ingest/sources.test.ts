import { describe, expect, it, onTestFinished } from 'vitest';
import { AddressList } from '../../../lib/address-list.ts';
import { queryString, sdkAppId, smallestVerdict, verdictCommand } from '../../support/callbacks.ts';
import { anIngestApp, metricOf, signedUrl } from '../../support/ingest-app.ts';

const tencent = '183.192.202.7';
const stranger = '203.0.113.9';
const proxy = '10.0.0.5';

function setUp(more: Parameters<typeof anIngestApp>[0] & { readonly proxies?: readonly string[] } = {}) {
  const admission = {
    apps: new Map([[String(sdkAppId), more.apps?.[0] ?? { sdkAppId, tokens: ['xxxxyyyy'] }]]),
    allowUnsigned: more.allowUnsigned ?? false,
    allowedSources: new AddressList(['183.192.202.0/25', '2001:db8:7::/48']),
  };
  const trustedProxies = more.proxies === undefined ? undefined : new AddressList(more.proxies);
  const parts = anIngestApp({ ...more, admission, trustedProxies });
  onTestFinished(() => parts.app.close());
  const signed = signedUrl(verdictCommand, parts.clock.nowMs());
  const post = async (
    from: string,
    headers: Record<string, string> = {},
    url = signed,
    method: 'POST' | 'GET' = 'POST',
  ) => {
    const payload = JSON.stringify(smallestVerdict);
    const { statusCode, body } = await parts.app.inject({ method, url, payload, headers, remoteAddress: from });
    return { status: statusCode, answer: JSON.parse(body) as unknown };
  };
  const refused = (reason: string) => metricOf(parts.metrics, 'ingest_refused_total', { reason });
  return { ...parts, post, refused };
}

describe('a callback from an address', () => {
  it.each([tencent, `::ffff:${tencent}`, '2001:db8:7::1'])('that is allowed is taken: %s', async (from) => {
    expect((await setUp().post(from)).status).toBe(200);
  });

  it.each([stranger, `::ffff:${stranger}`, '2001:db8:8::1'])(
    'that is not allowed is 403, counted, and writes nothing: %s',
    async (from) => {
      const { post, refused, published } = setUp();
      expect(await post(from)).toEqual({
        status: 403,
        answer: { ActionStatus: 'FAIL', ErrorInfo: 'Requests from this address are not taken', ErrorCode: 1 },
      });
      expect(await refused('source')).toBe(1);
      expect(published).toEqual([]);
    },
  );

  it('that is not allowed is refused after path and method, and before app and signature', async () => {
    const { post, refused } = setUp();
    expect((await post(stranger, {}, '/other')).status).toBe(404);
    expect((await post(stranger, {}, '/', 'GET')).status).toBe(405);
    expect((await post(stranger, {}, '/?SdkAppid=1')).status).toBe(403);
    expect((await post(stranger, {}, `/?${queryString(verdictCommand)}`)).status).toBe(403);
    expect([await refused('source'), await refused('app'), await refused('sign_missing')]).toEqual([2, 0, 0]);
  });

  it('that is not allowed is refused whatever X-Forwarded-For says, while no proxy is trusted', async () => {
    expect((await setUp().post(stranger, { 'x-forwarded-for': tencent })).status).toBe(403);
    expect((await setUp({ proxies: [proxy] }).post(stranger, { 'x-forwarded-for': tencent })).status).toBe(403);
  });
});

describe('a callback by a trusted proxy', () => {
  it.each([
    ['the address that it names', tencent, 200],
    ['the address that it names, though the client claimed another', `${stranger}, ${tencent}`, 200],
    ['the right-most address that is no trusted proxy', `${tencent}, ${proxy}, 10.0.0.6`, 200],
    ['not what the client claims', `${tencent}, ${stranger}`, 403],
    ['not what is no address', 'unknown', 403],
    ['not what is no address, even behind one', `${tencent}, unknown`, 403],
  ])('comes from %s', async (_what, forwardedFor, status) => {
    const { post } = setUp({ proxies: ['10.0.0.0/24'] });
    expect((await post(proxy, { 'x-forwarded-for': forwardedFor })).status).toBe(status);
  });

  it('without X-Forwarded-For comes from the proxy', async () => {
    expect((await setUp({ proxies: [proxy] }).post(proxy)).status).toBe(403);
  });

  it('is refused all the same for an app without a token', async () => {
    const { post, refused } = setUp({ apps: [{ sdkAppId, tokens: [] }], proxies: [proxy] });
    expect((await post(proxy, { 'x-forwarded-for': tencent }, `/?${queryString(verdictCommand)}`)).status).toBe(403);
    expect(await refused('proxy_header')).toBe(1);
  });
});
