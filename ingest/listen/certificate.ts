import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf } from '../../lib/errors.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
  /** Certificates of the authorities whose clients are taken; `undefined`: clients need no certificate. */
  readonly clientCaPath: string | undefined;
}

/** What stands in the files. */
export interface TlsTexts {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** Which certificates a connection may meet. */
export type CertificateRole = 'server' | 'client_ca';

/** Texts that have been found to belong together, ready for a server. */
export interface UsableTls {
  readonly context: SecureContextOptions;
  /** Epoch milliseconds when the first certificate of each file ends. */
  readonly endsAtMs: ReadonlyMap<CertificateRole, number>;
}

export function readTlsTextsSync({ certPath, keyPath, clientCaPath }: TlsFiles): TlsTexts {
  return {
    cert: readFileSync(certPath, 'utf8'),
    key: readFileSync(keyPath, 'utf8'),
    clientCa: clientCaPath === undefined ? undefined : readFileSync(clientCaPath, 'utf8'),
  };
}

export async function readTlsTexts({ certPath, keyPath, clientCaPath }: TlsFiles): Promise<TlsTexts> {
  const [cert, key, clientCa] = await Promise.all([
    readFile(certPath, 'utf8'),
    readFile(keyPath, 'utf8'),
    clientCaPath === undefined ? undefined : readFile(clientCaPath, 'utf8'),
  ]);
  return { cert, key, clientCa };
}

/** @throws {Error} that says why they cannot be used: no PEM, a key of another certificate, half a file. */
export function checkTls({ cert, key, clientCa }: TlsTexts): UsableTls {
  const certificates = certificatesIn(cert, 'the certificate');
  const authorities = clientCa === undefined ? [] : certificatesIn(clientCa, 'the client CA');
  const [own] = certificates;
  if (own?.checkPrivateKey(privateKey(key)) !== true) throw new Error('the key is not that of the certificate');
  const context = {
    cert,
    key,
    minVersion: 'TLSv1.2',
    ...(clientCa !== undefined && { ca: clientCa }),
  } as const satisfies SecureContextOptions;
  createSecureContext(context);
  const endsAtMs = new Map<CertificateRole, number>([['server', firstEndMs(certificates)]]);
  if (authorities.length > 0) endsAtMs.set('client_ca', firstEndMs(authorities));
  return { context, endsAtMs };
}

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates in a PEM text. @throws {Error} that says what is wrong with it, named `what`. */
export function certificatesIn(pem: string, what: string): readonly X509Certificate[] {
  const blocks = pem.match(certificateBlock) ?? [];
  const begun = pem.match(/-----BEGIN /g)?.length ?? 0;
  if (blocks.length === 0) throw new Error(`${what} is no PEM certificate`);
  if (begun !== blocks.length) throw new Error(`${what} has something else than whole PEM certificates`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new Error(`${what} cannot be read: ${messageOf(error)}`);
  }
}

function privateKey(pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new Error(`the key is no PEM key without a passphrase: ${messageOf(error)}`);
  }
}

function firstEndMs(certificates: readonly X509Certificate[]): number {
  return Math.min(...certificates.map(({ validToDate }) => validToDate.getTime()));
}
