import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JavaProcess } from '../../dev/embedded/java-process.ts';
import { startKafka } from '../../dev/embedded/kafka.ts';
import { startRegistry } from '../../dev/embedded/registry.ts';
import { registryUrl } from '../../dev/registry-address.ts';
import { javaTools, noEmbedded, skipNote } from '../support/embedded.ts';
import { type Answer, startTestIngest, unusedPort } from '../support/pipeline.ts';
import { makeTestHome } from '../support/test-home.ts';

let remove: () => void;
let kafka: JavaProcess;
let registry: JavaProcess;
let restartKafka: () => Promise<JavaProcess>;
let kafkaPid = 0;
let ingest: Awaited<ReturnType<typeof startTestIngest>>;

async function startBroker(): Promise<void> {
  const { java, kafkaJars, registryJars } = await javaTools();
  const made = makeTestHome();
  ({ remove } = made);
  const { home } = made;
  const [port, controllerPort, registryPort] = [await unusedPort(), await unusedPort(), await unusedPort()];
  const onChild = (pid: number): void => {
    kafkaPid = pid;
  };
  restartKafka = () =>
    startKafka({ java, jars: kafkaJars, folder: join(home, 'kafka'), port, controllerPort, onChild });
  [kafka, registry] = await Promise.all([
    restartKafka(),
    startRegistry({ java, jars: registryJars, folder: join(home, 'registry'), port: registryPort }),
  ]);
  const cluster = { KAFKA_BROKERS: `127.0.0.1:${port}`, SCHEMA_REGISTRY_URL: registryUrl(registryPort) };
  ingest = await startTestIngest({ ...cluster, INGEST_DEADLINE_MS: '500' });
  await ingest.ready();
}

let sent = 0;
/** Posts a verdict of its own, and returns its number with the answer. */
async function post(): Promise<Answer & { readonly id: string }> {
  sent += 1;
  const id = String(sent);
  return { id, ...(await ingest.post(JSON.stringify({ CtxcbResult: 1, MsgID: id }))) };
}

async function idsOnTopic(): Promise<readonly string[]> {
  const events = await ingest.read('verdict', await ingest.count('verdict'));
  return events.map(({ value }) => value.msgId ?? '');
}

describe.skipIf(noEmbedded !== undefined)(`a broker in trouble${skipNote}`, () => {
  const acknowledged: string[] = [];

  async function postUntil(status: number): Promise<void> {
    for (;;) {
      const answer = await post();
      if (answer.status === 200) acknowledged.push(answer.id);
      if (answer.status === status) return;
    }
  }

  beforeAll(startBroker);
  afterAll(async () => {
    await ingest.stop();
    await Promise.all([kafka.stop(), registry.stop()]);
    remove();
  });

  it('frozen: callbacks are answered 503, ingest is not ready, and goes on when the broker does', async () => {
    await postUntil(200);
    process.kill(kafkaPid, 'SIGSTOP');
    await postUntil(503);
    await expect.poll(async () => (await ingest.readiness()).status, { timeout: 30_000 }).toBe('unavailable');
    process.kill(kafkaPid, 'SIGCONT');
    await postUntil(200);
    expect(await idsOnTopic()).toEqual(expect.arrayContaining(acknowledged));
  });

  it('killed and started again: nothing acknowledged is lost, and ingest goes on by itself', async () => {
    await postUntil(200);
    process.kill(kafkaPid, 'SIGKILL');
    await postUntil(503);
    await expect.poll(async () => (await ingest.readiness()).status, { timeout: 30_000 }).toBe('unavailable');
    kafka = await restartKafka();
    await postUntil(200);
    await ingest.ready();
    expect(await idsOnTopic()).toEqual(expect.arrayContaining(acknowledged));
  });
});
