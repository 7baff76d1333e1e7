import { once } from 'node:events';
import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectPlainly } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkTls, readTlsTextsSync, type TlsFiles } from '../../../ingest/listen/certificate.ts';
import { watchCertificates } from '../../../ingest/listen/certificate-watch.ts';
import type { Logger } from '../../../lib/logger.ts';
import { verdictCommand } from '../../support/callbacks.ts';
import { type Identity, opensslTrouble, TestAuthority } from '../../support/certificates.ts';
import { closed } from '../../support/closed.ts';
import { anIngestApp, listening, metricOf, signedUrl } from '../../support/ingest-app.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const trouble = opensslTrouble();
const pollMs = 5_000;

async function setUp(options: { readonly isMutual?: boolean; readonly requestTimeoutMs?: number } = {}) {
  const folder = makeTestFolder();
  const authority = new TestAuthority(folder, 'server-ca');
  const clients = new TestAuthority(folder, 'client-ca');
  const files: TlsFiles = {
    certPath: join(folder, 'tls.crt'),
    keyPath: join(folder, 'tls.key'),
    clientCaPath: options.isMutual === true ? clients.certPath : undefined,
  };
  const install = (identity: Identity) => {
    copyFileSync(identity.keyPath, files.keyPath);
    copyFileSync(identity.certPath, files.certPath);
  };
  const first = authority.issue('first');
  install(first);
  const texts = readTlsTextsSync(files);
  const { requestTimeoutMs = 10_000 } = options;
  const parts = anIngestApp({ limits: { tls: checkTls(texts) }, requestTimeoutMs });
  onTestFinished(() => parts.app.close());
  const errors: string[] = [];
  const logger = { info: () => undefined, error: (text: string) => errors.push(text) } as unknown as Logger;
  const onChange = parts.app.useCertificates;
  const { clock, metrics } = parts;
  onTestFinished(watchCertificates({ files, texts, onChange, metrics: metrics.edge, clock, logger }));
  const { port } = await listening(parts.app);

  /** A connection on which the handshake is done, or the error that ended it. */
  const shakeHands = (more: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = connect({ host: '127.0.0.1', port, ca: authority.cert, ...more });
    onTestFinished(() => void socket.destroy());
    return new Promise((resolve, reject) => {
      socket.once('secureConnect', () => resolve(socket));
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
    });
  };
  /** Status of a callback posted over this connection, which stays open. */
  const post = async (socket: TLSSocket): Promise<number> => {
    const url = signedUrl(verdictCommand, parts.clock.nowMs());
    socket.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`);
    const answer = await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [''])]);
    return Number(/^HTTP\/1.1 (\d+)/.exec(String(answer[0]))?.[1]);
  };
  const failures = (reason: string) => metricOf(metrics, 'ingest_tls_handshake_failures_total', { reason });
  const reloads = (outcome: string) => metricOf(metrics, 'ingest_tls_reloads_total', { outcome });
  const endsAt = (certificate: string) =>
    metricOf(metrics, 'ingest_tls_certificate_expires_timestamp_seconds', { certificate });
  /** Lets the watch look at the files, and waits until it has. */
  const look = async (): Promise<void> => {
    await expect.poll(() => clock.waiting).toBe(1);
    clock.advance(pollMs);
    await expect.poll(() => clock.waiting).toBe(1);
  };
  const servedSubject = async (): Promise<unknown> => {
    const socket = await shakeHands();
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  };
  return {
    ...parts,
    authority,
    clients,
    files,
    folder,
    first,
    install,
    port,
    shakeHands,
    post,
    failures,
    reloads,
    endsAt,
    look,
    servedSubject,
    errors,
  };
}

describe.skipIf(trouble !== undefined)(
  `ingest with a certificate${trouble === undefined ? '' : ` (skipped: ${trouble})`}`,
  () => {
    it.each(['TLSv1.2', 'TLSv1.3'] as const)('takes callbacks over %s', async (version) => {
      const { shakeHands, post } = await setUp();
      const socket = await shakeHands({ minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      expect(await post(socket)).toBe(200);
    });

    it('refuses TLS 1.1, and counts it', async () => {
      const { shakeHands, failures } = await setUp();
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
      await expect(shakeHands(old)).rejects.toThrow(/alert protocol version/);
      await expect.poll(() => failures('protocol')).toBe(1);
    });

    it('counts plain HTTP as a failed handshake, not as a malformed request', async () => {
      const { port, failures, metrics } = await setUp();
      const socket = connectPlainly(port, '127.0.0.1');
      socket.on('error', () => socket.destroy());
      socket.write('POST / HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.resume();
      await closed(socket);
      expect(await failures('protocol')).toBe(1);
      expect(await metricOf(metrics, 'ingest_refused_total', { reason: 'malformed' })).toBe(0);
    });

    it('ends a connection that does not finish its handshake in time', async () => {
      const { port, failures, metrics } = await setUp({ requestTimeoutMs: 100 });
      const socket = connectPlainly(port, '127.0.0.1');
      socket.resume();
      await closed(socket);
      expect(await failures('timeout')).toBe(1);
      expect(socket.bytesRead).toBe(0);
      expect(await metricOf(metrics, 'ingest_refused_total', { reason: 'malformed' })).toBe(0);
    });

    it('counts a client that goes away during the handshake apart, as a health check does', async () => {
      const { port, failures } = await setUp();
      const socket = connectPlainly(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
      await expect.poll(() => failures('closed')).toBe(1);
    });

    it('stops though a client has not finished its handshake', async () => {
      const { app, clock, port, metrics } = await setUp();
      const socket = connectPlainly(port, '127.0.0.1');
      socket.on('error', () => socket.destroy());
      await expect.poll(() => metricOf(metrics, 'ingest_connections')).toBe(1);
      const closing = app.close();
      await expect.poll(() => app.server.listening).toBe(false);
      clock.advance(3_000);
      await closing;
      socket.destroy();
    });

    it('tells when its certificate ends', async () => {
      const { authority, install, look, endsAt } = await setUp();
      const daySec = 86_400;
      const nowSec = Date.now() / 1000;
      expect((await endsAt('server')) - nowSec).toBeGreaterThan(6.9 * daySec);
      expect((await endsAt('server')) - nowSec).toBeLessThan(7.1 * daySec);
      install(authority.issue('longer', { days: 20 }));
      await look();
      expect((await endsAt('server')) - nowSec).toBeGreaterThan(19.9 * daySec);
    });
  },
);

describe.skipIf(trouble !== undefined)('ingest with a client CA', () => {
  it('takes a client with a certificate of it', async () => {
    const { clients, shakeHands, post, endsAt } = await setUp({ isMutual: true });
    const { cert, key } = clients.issue('tencent');
    expect(await post(await shakeHands({ cert, key }))).toBe(200);
    expect(await endsAt('client_ca')).toBeGreaterThan(Date.now() / 1000);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'refuses one without a certificate over %s, and counts it',
    async (maxVersion) => {
      const { shakeHands, post, failures, published } = await setUp({ isMutual: true });
      // In TLS 1.3 the client learns of it only after its own part of the handshake.
      await expect(shakeHands({ maxVersion }).then(post)).rejects.toThrow(/certificate required|handshake failure/);
      await expect.poll(() => failures('certificate')).toBe(1);
      expect(published).toEqual([]);
    },
  );

  it('refuses one with a certificate of another authority, and counts it', async () => {
    const { authority, shakeHands, post, failures, published } = await setUp({ isMutual: true });
    const { cert, key } = authority.issue('stranger');
    const status = await shakeHands({ cert, key })
      .then(post)
      .catch(() => Number.NaN);
    expect(status).toBeNaN();
    await expect.poll(() => failures('certificate')).toBe(1);
    expect(published).toEqual([]);
  });
});

describe.skipIf(trouble !== undefined)('new TLS files', () => {
  it('serve new connections, while an open one goes on with the old certificate', async () => {
    const { authority, install, look, shakeHands, post, servedSubject, reloads } = await setUp();
    const open = await shakeHands();
    expect(await post(open)).toBe(200);
    install(authority.issue('second'));
    await look();
    expect(await servedSubject()).toBe('second');
    expect(await post(open)).toBe(200);
    expect(open.getPeerCertificate().subject.CN).toBe('first');
    expect(await reloads('taken')).toBe(1);
    await look();
    expect(await reloads('taken')).toBe(1);
  });

  it('are seen when a folder is swapped by a symbolic link, as Kubernetes does', async () => {
    const folder = makeTestFolder();
    const authority = new TestAuthority(folder, 'ca');
    const put = (name: string) => {
      const { cert, key } = authority.issue(name);
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'tls.crt'), cert);
      writeFileSync(join(folder, name, 'tls.key'), key);
      symlinkSync(name, join(folder, '..data.new'));
      renameSync(join(folder, '..data.new'), join(folder, '..data'));
    };
    put('first');
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(folder, name));
    const { app, clock, metrics } = anIngestApp();
    onTestFinished(() => app.close());
    const files = { certPath: join(folder, 'tls.crt'), keyPath: join(folder, 'tls.key'), clientCaPath: undefined };
    const taken = Promise.withResolvers<string>();
    const logger = { info: () => undefined } as unknown as Logger;
    const onChange = (usable: { context: { cert?: unknown } }) => taken.resolve(String(usable.context.cert));
    const texts = readTlsTextsSync(files);
    onTestFinished(watchCertificates({ files, texts, onChange, metrics: metrics.edge, clock, logger }));
    put('second');
    clock.advance(pollMs);
    expect(await taken.promise).toBe(readTlsTextsSync(files).cert);
    expect(texts.cert).not.toBe(await taken.promise);
  });

  it.each<[string, (parts: Awaited<ReturnType<typeof setUp>>) => void, RegExp]>([
    [
      'whose key is that of another certificate',
      ({ files, authority }) => copyFileSync(authority.issue('other').keyPath, files.keyPath),
      /the key is not that of the certificate/,
    ],
    ['that are no PEM', ({ files }) => writeFileSync(files.certPath, 'hello'), /the certificate is no PEM certificate/],
    [
      'that are half written',
      ({ files, first }) => writeFileSync(files.certPath, `${first.cert}${first.cert.slice(0, 100)}`),
      /the certificate has something else than whole PEM certificates/,
    ],
    ['that are gone', ({ files }) => renameSync(files.keyPath, `${files.keyPath}.old`), /ENOENT/],
    ['whose key is empty', ({ files }) => writeFileSync(files.keyPath, ''), /the key is no PEM key/],
  ])('%s leave the old ones serving, are logged and counted once, and can be mended', async (_what, spoil, message) => {
    const parts = await setUp();
    const { authority, install, look, errors, reloads, servedSubject } = parts;
    spoil(parts);
    await look();
    expect(errors).toEqual([]);
    await look();
    expect(errors).toEqual([expect.stringMatching(message)]);
    expect(errors[0]).toContain('the old ones serve on');
    await look();
    expect(errors).toHaveLength(1);
    expect(await reloads('refused')).toBe(1);
    expect(await servedSubject()).toBe('first');
    install(authority.issue('mended'));
    await look();
    expect(await servedSubject()).toBe('mended');
  });

  it('that come one after the other are no error', async () => {
    const { authority, files, look, errors, reloads, servedSubject } = await setUp();
    const second = authority.issue('second');
    copyFileSync(second.certPath, files.certPath);
    await look();
    copyFileSync(second.keyPath, files.keyPath);
    await look();
    expect(await servedSubject()).toBe('second');
    expect(errors).toEqual([]);
    expect(await reloads('refused')).toBe(0);
  });

  it('of the client CA decide about new connections', async () => {
    const { authority, clients, look, shakeHands, post, files } = await setUp({ isMutual: true });
    const { cert, key } = clients.issue('tencent');
    copyFileSync(authority.certPath, files.clientCaPath ?? '');
    await look();
    const status = await shakeHands({ cert, key })
      .then(post)
      .catch(() => Number.NaN);
    expect(status).toBeNaN();
  });
});
