import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readIngestConfig } from '../../../ingest/config.ts';
import { ConfigError } from '../../../lib/errors.ts';
import { opensslTrouble, TestAuthority } from '../../support/certificates.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const noOpenssl = opensslTrouble();

function read(more: Readonly<Record<string, string>>) {
  const base = { IMWATCH_SDK_APP_ID: '7', IMWATCH_TOKEN: 't', KAFKA_BROKERS: 'h:1', SCHEMA_REGISTRY_URL: 'http://h' };
  return readIngestConfig({ env: { ...base, ...more }, file: {}, running: {} });
}

function problemsOf(more: Readonly<Record<string, string>>): readonly string[] {
  try {
    read(more);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('addresses in settings', () => {
  it('are ranges of both families, with blanks or without', () => {
    const config = read({ INGEST_ALLOWED_SOURCES: '127.0.0.2, 183.192.202.0/25,2001:db8::/32' });
    expect(config.allowedSources?.texts).toEqual(['127.0.0.2', '183.192.202.0/25', '2001:db8::/32']);
    expect(config.trustedProxies).toBeUndefined();
  });

  it.each(['INGEST_ALLOWED_SOURCES', 'INGEST_TRUSTED_PROXIES'])('that are wrong stop the start: %s', (name) => {
    expect(problemsOf({ [name]: '10.0.0.0/8,10.0.0.0/33' })).toEqual([
      `${name} is "10.0.0.0/8,10.0.0.0/33", expected IP addresses and ranges (CIDR) separated by commas; "10.0.0.0/33" is no IP address and no range like 203.0.113.0/24`,
    ]);
  });
});

describe.skipIf(noOpenssl !== undefined)(
  `TLS settings${noOpenssl === undefined ? '' : ` (skipped: ${noOpenssl})`}`,
  () => {
    it('name the files of a certificate and its key', () => {
      const { certPath, keyPath } = new TestAuthority(makeTestFolder(), 'ca').issue('server');
      expect(read({ INGEST_TLS_CERT: certPath, INGEST_TLS_KEY: keyPath }).tlsFiles).toEqual({
        certPath,
        keyPath,
        clientCaPath: undefined,
      });
      expect(read({}).tlsFiles).toBeUndefined();
    });

    it('go together', () => {
      const authority = new TestAuthority(makeTestFolder(), 'ca');
      const { certPath, keyPath } = authority.issue('server');
      const together = 'INGEST_TLS_CERT and INGEST_TLS_KEY go together, expected both or neither';
      expect(problemsOf({ INGEST_TLS_CERT: certPath })).toEqual([together]);
      expect(problemsOf({ INGEST_TLS_KEY: keyPath, INGEST_TLS_CLIENT_CA: authority.certPath })).toEqual([together]);
      expect(problemsOf({ INGEST_TLS_CLIENT_CA: authority.certPath })).toEqual([
        'INGEST_TLS_CLIENT_CA is set alone, expected INGEST_TLS_CERT and INGEST_TLS_KEY beside it',
      ]);
    });

    it('that cannot be used stop the start, and say why', () => {
      const folder = makeTestFolder();
      const authority = new TestAuthority(folder, 'ca');
      const [one, other] = [authority.issue('one'), authority.issue('other')];
      const pair = { INGEST_TLS_CERT: one.certPath, INGEST_TLS_KEY: other.keyPath };
      expect(problemsOf(pair)).toEqual([
        'INGEST_TLS_CERT, INGEST_TLS_KEY and INGEST_TLS_CLIENT_CA cannot be used: the key is not that of the certificate',
      ]);
      const garbage = join(folder, 'garbage.pem');
      writeFileSync(garbage, 'garbage');
      expect(problemsOf({ ...pair, INGEST_TLS_KEY: one.keyPath, INGEST_TLS_CLIENT_CA: garbage })).toEqual([
        'INGEST_TLS_CERT, INGEST_TLS_KEY and INGEST_TLS_CLIENT_CA cannot be used: the client CA is no PEM certificate',
      ]);
      expect(problemsOf({ ...pair, INGEST_TLS_KEY: join(folder, 'none') })).toEqual([
        `INGEST_TLS_KEY is "${join(folder, 'none')}", expected a file that can be read`,
      ]);
    });
  },
);
