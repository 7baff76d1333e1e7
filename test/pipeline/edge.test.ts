import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { signOf } from '../../ingest/tencent/signature.ts';
import { queryString, vector, verdictCommand } from '../support/callbacks.ts';
import { type Identity, opensslTrouble, TestAuthority } from '../support/certificates.ts';
import { startTestIngest, token } from '../support/pipeline.ts';
import { makeTestFolder } from '../support/test-folder.ts';

const trouble = opensslTrouble();

describe.skipIf(trouble !== undefined)(
  `ingest with all of its edge${trouble === undefined ? '' : ` (skipped: ${trouble})`}`,
  () => {
    it('takes events from a client with a certificate and an address that are allowed, and a new certificate without a restart', async () => {
      const folder = makeTestFolder();
      const [authority, clients] = [new TestAuthority(folder, 'ca'), new TestAuthority(folder, 'clients')];
      const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
      const install = (identity: Identity) => {
        copyFileSync(identity.keyPath, key);
        copyFileSync(identity.certPath, cert);
      };
      install(authority.issue('first'));
      const ingest = await startTestIngest({
        INGEST_TLS_CERT: cert,
        INGEST_TLS_KEY: key,
        INGEST_TLS_CLIENT_CA: clients.certPath,
        INGEST_TRUSTED_PROXIES: '127.0.0.1',
        INGEST_ALLOWED_SOURCES: '203.0.113.0/24',
        INGEST_MAX_CONNECTIONS: '50',
        INGEST_KEEP_ALIVE_MS: '1000',
      });
      await ingest.ready();
      expect(ingest.url).toMatch(/^https:/);

      const post = async (ca: string, from: string, client?: Identity): Promise<number> => {
        const identity = client === undefined ? {} : { cert: client.cert, key: client.key };
        const dispatcher = new Agent({ connect: { ca, ...identity } });
        onTestFinished(() => dispatcher.close());
        const nowSec = Math.floor(Date.now() / 1000);
        const signed = { RequestTime: String(nowSec), Sign: signOf(token, nowSec) };
        const response = await request(`${ingest.url}/?${queryString(verdictCommand, signed)}`, {
          method: 'POST',
          headers: { 'x-forwarded-for': from },
          body: vector(verdictCommand),
          dispatcher,
        });
        await response.body.dump();
        return response.statusCode;
      };
      const client = clients.issue('tencent');
      expect(await post(authority.cert, '203.0.113.7', client)).toBe(200);
      expect(await post(authority.cert, '198.51.100.7', client)).toBe(403);
      await expect(post(authority.cert, '203.0.113.7')).rejects.toThrow();
      expect(await post(authority.cert, '203.0.113.7', client)).toBe(200);
      expect(await ingest.read('verdict', 2)).toMatchObject([{ key: '1400187352/jared' }, { key: '1400187352/jared' }]);

      const metrics = await ingest.metrics();
      expect(metrics).toMatch(/^ingest_refused_total\{reason="source"\} 1$/m);
      expect(metrics).toMatch(/^ingest_tls_handshake_failures_total\{reason="certificate"\} 1$/m);
      expect(metrics).toMatch(/^ingest_repeated_events_total 1$/m);
      expect(Number(/^ingest_clock_difference_seconds (\S+)$/m.exec(metrics)?.[1])).toBeCloseTo(0, -1);

      const renewed = new TestAuthority(folder, 'renewed-ca');
      install(renewed.issue('second'));
      const isRenewed = () => post(renewed.cert, '203.0.113.7', client).catch(() => 0);
      await expect.poll(isRenewed, { timeout: 30_000, interval: 500 }).toBe(200);
      expect(await ingest.metrics()).toMatch(/^ingest_tls_reloads_total\{outcome="taken"\} 1$/m);
      await ingest.stop();
    });
  },
);
