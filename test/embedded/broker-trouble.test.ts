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

/** Ids in the order of the topic, the first time each occurs. */
async function firstOnTopic(): Promise<readonly string[]> {
  return [...new Set(await idsOnTopic())];
}

const answerLimitMs = 2_000;

describe.skipIf(noEmbedded !== undefined)(`a broker in trouble${skipNote}`, () => {
  const acknowledged: string[] = [];
  let slowestMs = 0;

  async function postSome(count: number): Promise<void> {
    for (let done = 0; done < count; done += 1) {
      const started = performance.now();
      const { id, status } = await post();
      slowestMs = Math.max(slowestMs, performance.now() - started);
      expect(status).toBe(200);
      acknowledged.push(id);
    }
  }

  const status = async () => (await ingest.readiness()).status;
  const onDisk = async () =>
    Number(/ingest_answers_total\{durable="disk"\} (\d+)/.exec(await ingest.metrics())?.[1] ?? 0);

  beforeAll(startBroker);
  afterAll(async () => {
    await ingest.stop();
    await Promise.all([kafka.stop(), registry.stop()]);
    remove();
  });

  it('frozen: every callback is answered in time and kept on disk, and goes to the topic in order when the broker does', async () => {
    await postSome(5);
    process.kill(kafkaPid, 'SIGSTOP');
    await postSome(50);
    expect(await onDisk()).toBe(50);
    expect(await ingest.readiness()).toEqual({
      status: 'degraded',
      reasons: [expect.stringContaining('Events are kept on disk')],
    });
    process.kill(kafkaPid, 'SIGCONT');
    await expect.poll(status, { timeout: 60_000 }).toBe('ready');
    await postSome(5);
    expect(await firstOnTopic()).toEqual(acknowledged);
    expect(slowestMs).toBeLessThan(answerLimitMs);
  });

  it('killed and started again: nothing acknowledged is lost, and ingest goes on by itself', async () => {
    process.kill(kafkaPid, 'SIGKILL');
    await postSome(50);
    expect(await status()).toBe('degraded');
    kafka = await restartKafka();
    await postSome(20);
    await expect.poll(status, { timeout: 60_000 }).toBe('ready');
    await postSome(5);
    expect(await firstOnTopic()).toEqual(acknowledged);
    expect(slowestMs).toBeLessThan(answerLimitMs);
  });

  it('frozen while ingest stops: what is on disk is there for the next ingest', async () => {
    process.kill(kafkaPid, 'SIGSTOP');
    await postSome(10);
    const { env } = ingest;
    await ingest.stop();
    process.kill(kafkaPid, 'SIGCONT');
    ingest = await startTestIngest(env);
    await expect.poll(status, { timeout: 60_000 }).toBe('ready');
    expect(await firstOnTopic()).toEqual(acknowledged);
  });
});
