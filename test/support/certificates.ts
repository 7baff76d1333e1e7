import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as files and as text. */
export interface Identity {
  readonly certPath: string;
  readonly keyPath: string;
  readonly cert: string;
  readonly key: string;
}

/** Why the tests that need certificates are skipped, if they are. */
export function opensslTrouble(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'openssl is not installed';
  }
}

/** A certificate authority of the test's own, which signs certificates for 127.0.0.1 and for clients. */
export class TestAuthority {
  readonly certPath: string;
  readonly cert: string;
  readonly #folder: string;
  readonly #name: string;
  #count = 0;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
    this.certPath = this.#path('pem');
    this.#config(`[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\nCN=${name}\n`, [
      '[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n',
    ]);
    this.#openssl(['req', '-x509', '-days', '30', ...newKey, '-keyout', this.#path('key'), '-out', this.certPath]);
    this.cert = readFileSync(this.certPath, 'utf8');
  }

  /** A certificate for 127.0.0.1, which servers and clients may use. */
  issue(subject: string, { days = 7 }: { readonly days?: number } = {}): Identity {
    this.#count += 1;
    const base = join(this.#folder, `${this.#name}-${subject}-${this.#count}`);
    const [certPath, keyPath, request, extensions] = [`${base}.pem`, `${base}.key`, `${base}.csr`, `${base}.ext`];
    writeFileSync(
      extensions,
      'basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n',
    );
    this.#config(`[req]\nprompt=no\ndistinguished_name=dn\n[dn]\nCN=${subject}\n`);
    this.#openssl(['req', '-new', ...newKey, '-keyout', keyPath, '-out', request]);
    const signer = ['-CA', this.certPath, '-CAkey', this.#path('key'), '-set_serial', String(this.#count + 1)];
    execFileSync(
      'openssl',
      ['x509', '-req', '-in', request, ...signer, '-days', String(days), '-extfile', extensions, '-out', certPath],
      { stdio: 'ignore' },
    );
    return { certPath, keyPath, cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8') };
  }

  #path(ending: string): string {
    return join(this.#folder, `${this.#name}.${ending}`);
  }

  #config(text: string, sections: readonly string[] = []): void {
    writeFileSync(this.#path('cnf'), [text, ...sections].join('\n'));
  }

  #openssl(args: readonly string[]): void {
    execFileSync('openssl', [...args, '-config', this.#path('cnf')], { stdio: 'ignore' });
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
