import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JavaProcess } from '../../dev/embedded/java-process.ts';
import { startKafka } from '../../dev/embedded/kafka.ts';
import { startRegistry } from '../../dev/embedded/registry.ts';
import { registryUrl } from '../../dev/registry-address.ts';
import { vector, verdictCommand } from '../support/callbacks.ts';
import { runCli } from '../support/cli.ts';
import { javaTools, noEmbedded, skipNote } from '../support/embedded.ts';
import { startTestIngest, unusedPort } from '../support/pipeline.ts';
import { makeTestHome } from '../support/test-home.ts';

const user = 'imwatch';
const password = 'correct horse';
const storePassword = 'store-password';

let remove: () => void;
let running: readonly JavaProcess[] = [];
let cluster: Record<string, string>;

/** A broker that takes only TLS with a login, its certificate signed by itself, and a registry. */
async function startSecureBroker(): Promise<void> {
  const { java, keytool, kafkaJars, registryJars } = await javaTools();
  const made = makeTestHome();
  ({ remove } = made);
  const { home } = made;
  const keystore = join(home, 'keystore.p12');
  const store = ['-keystore', keystore, '-storetype', 'PKCS12', '-storepass', storePassword, '-alias', 'broker'];
  const key = ['-genkeypair', '-keyalg', 'RSA', '-dname', 'CN=127.0.0.1', '-ext', 'SAN=ip:127.0.0.1', '-validity', '2'];
  execFileSync(keytool, [...key, ...store], { stdio: 'ignore' });
  const certificate = join(home, 'broker.pem');
  writeFileSync(certificate, execFileSync(keytool, ['-exportcert', '-rfc', ...store]));

  const [internalPort, securePort, controllerPort, registryPort] = [
    await unusedPort(),
    await unusedPort(),
    await unusedPort(),
    await unusedPort(),
  ];
  const modules = 'org.apache.kafka.common.security';
  const scram = (mechanism: string): string[] => ['--add-scram', `${mechanism}=[name=${user},password="${password}"]`];
  running = await Promise.all([
    startKafka({
      java,
      jars: kafkaJars,
      folder: join(home, 'kafka'),
      port: internalPort,
      controllerPort,
      properties: {
        listeners: `PLAINTEXT://127.0.0.1:${internalPort},SASL_SSL://127.0.0.1:${securePort},CONTROLLER://127.0.0.1:${controllerPort}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${internalPort},SASL_SSL://127.0.0.1:${securePort}`,
        'ssl.keystore.location': keystore,
        'ssl.keystore.type': 'PKCS12',
        'ssl.keystore.password': storePassword,
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
        'listener.name.sasl_ssl.plain.sasl.jaas.config': `${modules}.plain.PlainLoginModule required user_${user}="${password}";`,
        'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': `${modules}.scram.ScramLoginModule required;`,
        'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${modules}.scram.ScramLoginModule required;`,
      },
      formatArgs: [...scram('SCRAM-SHA-256'), ...scram('SCRAM-SHA-512')],
    }),
    startRegistry({ java, jars: registryJars, folder: join(home, 'registry'), port: registryPort }),
  ]);
  cluster = {
    KAFKA_BROKERS: `127.0.0.1:${securePort}`,
    KAFKA_SSL_CA: certificate,
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: password,
    SCHEMA_REGISTRY_URL: registryUrl(registryPort),
    IMWATCH_HOME: home,
  };
}

describe.skipIf(noEmbedded !== undefined)(`a broker behind TLS and SASL${skipNote}`, () => {
  beforeAll(startSecureBroker);
  afterAll(async () => {
    await Promise.all(running.map((part) => part.stop()));
    remove();
  });

  it.each([
    ['plain', 'platformatic'],
    ['scram-sha-256', 'platformatic'],
    ['scram-sha-512', 'platformatic'],
    ['scram-sha-512', 'kafkajs'],
  ])('takes events and gives them back with %s, written by %s', async (mechanism, producer) => {
    const ingest = await startTestIngest({
      ...cluster,
      KAFKA_SASL_MECHANISM: mechanism,
      KAFKA_PRODUCER: producer,
    });
    await ingest.ready();
    expect((await ingest.post(vector(verdictCommand))).status).toBe(200);
    expect(await ingest.read('verdict', 1)).toMatchObject([{ value: { fromAccount: 'jared' } }]);
    const env = { ...ingest.env, ...cluster };
    expect((await runCli(['topics', 'diff'], env)).code).toBe(0);
    expect((await runCli(['tail', '--no-follow'], env)).output).toContain('jared');
    await ingest.stop();
  });

  it.each([
    ['a wrong password', () => ({ ...cluster, KAFKA_SASL_PASSWORD: 'wrong' }), /[Aa]uthentication failed/],
    ['a certificate that is not trusted', () => ({ ...cluster, KAFKA_SSL: 'true', KAFKA_SSL_CA: '' }), /self-signed/],
  ])('refuses %s, and /ready says so', async (_what, settings, reason) => {
    const ingest = await startTestIngest({ ...settings(), KAFKA_SASL_MECHANISM: 'scram-sha-256' });
    await expect.poll(async () => (await ingest.readiness()).reasons.join(), { timeout: 60_000 }).toMatch(reason);
    expect(await ingest.post(vector(verdictCommand))).toMatchObject({ status: 200 });
    expect(await ingest.metrics()).toContain(`ingest_answers_total{durable="disk"} 1`);
    await ingest.stop();
  });
});
