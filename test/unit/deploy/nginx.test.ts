import { connect } from 'node:tls';
import pino from 'pino';
import { Agent, request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../dev/ports.ts';
import { AddressList } from '../../../lib/address-list.ts';
import { sdkAppId, smallestVerdict, verdictCommand } from '../../support/callbacks.ts';
import { type Identity, opensslTrouble, TestAuthority } from '../../support/certificates.ts';
import { closed } from '../../support/closed.ts';
import { anIngestApp, listening, metricOf, signedUrl, token } from '../../support/ingest-app.ts';
import { findNginx, startNginx } from '../../support/nginx.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const nginx = findNginx();
/** Only there all of 127.0.0.0/8 are addresses of this machine, so that clients can have some of their own. */
const noAddresses = process.platform === 'linux' ? undefined : 'only Linux has 127.0.0.2';
const missing = 'missing' in nginx ? nginx.missing : (opensslTrouble() ?? noAddresses);

const tencent = '127.0.0.2';
const stranger = '127.0.0.3';

interface Setup {
  readonly replace?: Readonly<Record<string, string>>;
  readonly isIngestAway?: boolean;
  readonly isMutual?: boolean;
}

/** deploy/nginx/imwatch.conf in front of ingest's HTTP side, which trusts it and takes callbacks from one address only. */
async function setUp({ replace = {}, isIngestAway = false, isMutual = false }: Setup = {}) {
  const folder = makeTestFolder();
  const authority = new TestAuthority(folder, 'ca');
  const clients = new TestAuthority(folder, 'clients');
  const identity = authority.issue('nginx');
  const lines: string[] = [];
  const admission = {
    apps: new Map([[String(sdkAppId), { sdkAppId, tokens: [token] }]]),
    allowUnsigned: false,
    allowedSources: new AddressList([tencent]),
  };
  const parts = anIngestApp({
    admission,
    trustedProxies: new AddressList(['127.0.0.1']),
    logger: pino({}, { write: (line: string) => void lines.push(line) }),
  });
  onTestFinished(() => parts.app.close());
  const ingestPort = isIngestAway ? await freePort(undefined) : (await listening(parts.app)).port;
  const port = await freePort(undefined);
  const running = await startNginx({
    path: 'path' in nginx ? nginx.path : '',
    folder,
    example: 'imwatch.conf',
    port,
    replace: {
      'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
      'server 127.0.0.1:8080': `server 127.0.0.1:${ingestPort}`,
      '/var/log/nginx/': `${folder}/`,
      '/etc/imwatch/tls/tls.crt': identity.certPath,
      '/etc/imwatch/tls/tls.key': identity.keyPath,
      '/etc/imwatch/tls/client-ca.crt': clients.certPath,
      ...(isMutual && mutual),
      ...replace,
    },
  });
  onTestFinished(() => running.stop());

  const url = `https://127.0.0.1:${port}${signedUrl(verdictCommand, parts.clock.nowMs(), { note: 'NOTE' })}`;
  const post = async (from: string, options: PostOptions = {}) => {
    const { cert, key } = options.identity ?? {};
    const identified = cert === undefined || key === undefined ? {} : { cert, key };
    const dispatcher = new Agent({ localAddress: from, connect: { ca: authority.cert, ...identified } });
    onTestFinished(() => dispatcher.close());
    const { headers = {}, body = JSON.stringify(smallestVerdict), times = 1 } = options;
    const statuses: number[] = [];
    let answer = '';
    for (let count = 0; count < times; count += 1) {
      const response = await request(url, { method: 'POST', headers, body, dispatcher });
      statuses.push(response.statusCode);
      answer = await response.body.text();
    }
    return { statuses, answer };
  };
  /** Access log lines, as soon as there are `count`: nginx writes one when it has sent the answer. */
  const accessLog = async (count: number): Promise<readonly Record<string, unknown>[]> => {
    const read = () =>
      running
        .log('imwatch.access.log')
        .split('\n')
        .filter((line) => line !== '');
    await expect.poll(() => read().length).toBe(count);
    return read().map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { ...parts, authority, clients, port, url, post, accessLog, lines, log: running.log };
}

interface PostOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly times?: number;
  readonly identity?: Identity;
}

/** Takes the part for mutual TLS in. */
const mutual = { '#ssl_client_certificate': 'ssl_client_certificate', '#ssl_verify_client': 'ssl_verify_client' };

const secrets = /NOTE|Sign|RequestTime|\?/;

describe.skipIf(missing !== undefined)(
  `ingest behind nginx${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('takes signed callbacks over TLS, and knows who sent them', async () => {
      const { post, published, lines, accessLog } = await setUp();
      expect(await post(tencent)).toEqual({
        statuses: [200],
        answer: '{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}',
      });
      expect(published).toMatchObject([{ topic: 'verdict' }]);
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ msg: 'callback', remote: tencent }]);
      const [line, ...others] = await accessLog(1);
      expect(others).toEqual([]);
      expect(line).toMatchObject({ remote: tencent, method: 'POST', path: '/', status: 200, upstreamStatus: '200' });
      expect(JSON.stringify(line)).not.toMatch(secrets);
    });

    it('refuses others, whatever they say of where they come from', async () => {
      const { post, metrics } = await setUp();
      const claims = { 'x-forwarded-for': tencent, forwarded: `for=${tencent}`, 'x-real-ip': tencent };
      expect((await post(stranger, { headers: claims })).statuses).toEqual([403]);
      // Also where the client has an address that ingest trusts.
      expect((await post('127.0.0.1', { headers: claims })).statuses).toEqual([403]);
      expect(await metricOf(metrics, 'ingest_refused_total', { reason: 'source' })).toBe(2);
    });

    it('has all callbacks of a client over one kept connection', async () => {
      const { app, post } = await setUp();
      let connections = 0;
      app.server.on('connection', () => {
        connections += 1;
      });
      expect((await post(tencent, { times: 5 })).statuses).toEqual([200, 200, 200, 200, 200]);
      expect(connections).toBe(1);
    });

    it('refuses and counts by itself what is too large', async () => {
      const { post, metrics } = await setUp();
      const { statuses, answer } = await post(tencent, { body: ' '.repeat(500_000) });
      expect(statuses).toEqual([413]);
      expect(JSON.parse(answer)).toMatchObject({ ActionStatus: 'FAIL' });
      expect(await metricOf(metrics, 'ingest_refused_total', { reason: 'too_large' })).toBe(1);
    });

    it('when it is away, leaves an answer in JSON and no query string in any log', async () => {
      const { post, accessLog, log } = await setUp({ isIngestAway: true });
      const { statuses, answer } = await post(tencent);
      expect(statuses).toEqual([502]);
      expect(JSON.parse(answer)).toEqual({
        ActionStatus: 'FAIL',
        ErrorInfo: 'imwatch cannot be reached',
        ErrorCode: 1,
      });
      const lines = await accessLog(1);
      expect(lines).toMatchObject([{ status: 502, upstreamStatus: '502' }]);
      expect(JSON.stringify(lines)).not.toMatch(secrets);
      expect([log('imwatch.error.log'), log('main.error.log')]).toEqual(['', '']);
    });

    it('would have its signatures in the error log at any other level, so that the example says emerg', async () => {
      const { post, accessLog, log } = await setUp({
        isIngestAway: true,
        replace: { 'error.log emerg': 'error.log error' },
      });
      await post(tencent);
      await accessLog(1);
      expect(log('imwatch.error.log')).toMatch(/request: "POST \/\?.*Sign=/);
    });

    it('does not keep a client whose body does not come', async () => {
      const { authority, port, url } = await setUp({
        replace: { 'client_body_timeout 10s': 'client_body_timeout 300ms' },
      });
      const socket = connect({ host: '127.0.0.1', port, ca: authority.cert });
      const { pathname, search } = new URL(url);
      socket.write(`POST ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{`);
      socket.resume();
      await closed(socket);
    });
  },
);

describe.skipIf(missing !== undefined)('nginx with the part for mutual TLS', () => {
  it('lets clients of the authority through and no others', async () => {
    const { authority, clients, post, published, accessLog } = await setUp({
      isMutual: true,
    });
    expect((await post(tencent)).statuses).toEqual([400]);
    expect((await post(tencent, { identity: authority.issue('stranger') })).statuses).toEqual([400]);
    expect(published).toEqual([]);
    expect((await post(tencent, { identity: clients.issue('tencent') })).statuses).toEqual([200]);
    expect(published).toHaveLength(1);
    const lines = await accessLog(3);
    expect(lines.map(({ client }) => client)).toEqual(['NONE', expect.stringMatching(/^FAILED/), 'SUCCESS']);
    expect(JSON.stringify(lines)).not.toMatch(secrets);
  });
});
