import { Agent, request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../dev/ports.ts';
import { AddressList } from '../../../lib/address-list.ts';
import { answering, BackendStandIn } from '../../support/backend-stand-in.ts';
import { smallestVerdict, verdictCommand } from '../../support/callbacks.ts';
import { opensslTrouble, TestAuthority } from '../../support/certificates.ts';
import { anIngestApp, listening, signedUrl } from '../../support/ingest-app.ts';
import { findNginx, startNginx } from '../../support/nginx.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const nginx = findNginx();
const missing = 'missing' in nginx ? nginx.missing : opensslTrouble();

/** deploy/nginx/mirror.conf between a stand-in for the backend and ingest's HTTP side. */
async function setUp({ isIngestAway = false } = {}) {
  const folder = makeTestFolder();
  const authority = new TestAuthority(folder, 'ca');
  const identity = authority.issue('nginx');
  const backend = await BackendStandIn.start(answering(200, '{"ActionStatus":"OK","ErrorInfo":"own","ErrorCode":0}'));
  onTestFinished(() => backend.stop());
  const parts = anIngestApp({ trustedProxies: new AddressList(['127.0.0.1']) });
  onTestFinished(() => parts.app.close());
  const ingestPort = isIngestAway ? await freePort(undefined) : (await listening(parts.app)).port;
  const port = await freePort(undefined);
  const running = await startNginx({
    path: 'path' in nginx ? nginx.path : '',
    folder,
    example: 'mirror.conf',
    port,
    replace: {
      'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
      'server 127.0.0.1:3000': `server ${new URL(backend.url).host}`,
      'server 127.0.0.1:8080': `server 127.0.0.1:${ingestPort}`,
      '/var/log/nginx/': `${folder}/`,
      '/etc/imwatch/tls/tls.crt': identity.certPath,
      '/etc/imwatch/tls/tls.key': identity.keyPath,
    },
  });
  onTestFinished(() => running.stop());
  const target = signedUrl(verdictCommand, parts.clock.nowMs(), { note: 'NOTE' });
  const post = async (body: string) => {
    const dispatcher = new Agent({ connect: { ca: authority.cert } });
    onTestFinished(() => dispatcher.close());
    const response = await request(`https://127.0.0.1:${port}${target}`, { method: 'POST', body, dispatcher });
    return { status: response.statusCode, answer: await response.body.text() };
  };
  return { ...parts, backend, target, post, log: running.log };
}

const body = JSON.stringify(smallestVerdict);

describe.skipIf(missing !== undefined)(
  `nginx that mirrors callbacks${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    it('gives the backend the callback and its answer to Tencent, and ingest a copy that is authentic', async () => {
      const { post, backend, target, published } = await setUp();
      expect(await post(body)).toEqual({
        status: 200,
        answer: '{"ActionStatus":"OK","ErrorInfo":"own","ErrorCode":0}',
      });
      const [taken] = await backend.requests(1);
      expect(taken?.url).toBe(target);
      expect(taken?.body.toString()).toBe(body);
      await expect.poll(() => published).toMatchObject([{ record: 'ContentVerdict', topic: 'verdict' }]);
    });

    it('serves the backend on when imwatch is away', async () => {
      const { post, backend } = await setUp({ isIngestAway: true });
      expect((await post(body)).status).toBe(200);
      expect(backend.taken.length).toBe(1);
    });

    it('has no query string in any log', async () => {
      const { post, log } = await setUp();
      await post(body);
      await expect.poll(() => log('im-mirror.access.log')).toContain('"path":"/"');
      expect(log('im-mirror.access.log')).not.toMatch(/NOTE|Sign|RequestTime|\?/);
      expect([log('im-mirror.error.log'), log('main.error.log')]).toEqual(['', '']);
    });
  },
);
