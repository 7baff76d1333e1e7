import { afterEach, describe, expect, inject, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { IngestProcess } from '../support/ingest-process.ts';
import { countRecords, postCallback, readDecoded, serviceEnvironment, unusedPort } from '../support/pipeline.ts';
import { allEnded, sendSignal, stillRunning } from '../support/processes.ts';
import { SteadySender } from '../support/steady-sender.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const perSecond = 300;
/** Most of it is the start of processes, on a machine that may be busy with other things. */
const longMs = 120_000;
const cleanUps: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return serviceEnvironment({ ...inject('cluster'), INGEST_WORKERS: '2', INGEST_DRAIN_MS: '600', ...more });
}

async function start(env: Readonly<Record<string, string>>, status?: 'degraded'): Promise<IngestProcess> {
  const ingest = await IngestProcess.start(env, status);
  cleanUps.push(() => ingest.command.child.kill('SIGKILL'));
  const count = Number(env['INGEST_WORKERS']);
  if (count > 1) await ingest.untilServing(count);
  return ingest;
}

/** Without a Kafka: all that matters is how its processes begin and end. */
async function startAway(more: Readonly<Record<string, string>> = {}) {
  const away = { KAFKA_BROKERS: `127.0.0.1:${await unusedPort()}`, IMWATCH_LOG_LEVEL: 'info' };
  const env = environment({ ...away, ...more });
  return { env, ingest: await start(env, 'degraded') };
}

function sendTo(ingest: IngestProcess): SteadySender {
  const sender = new SteadySender(ingest.url, perSecond);
  cleanUps.push(() => sender.stop());
  return sender;
}

/** Ids of the verdicts on the topic, each once. */
async function idsOnTopic(env: Readonly<Record<string, string>>): Promise<ReadonlySet<string>> {
  const events = await readDecoded(env, 'verdict', await countRecords(env, 'verdict'));
  return new Set(events.map(({ value }) => value.msgId ?? ''));
}

async function missing(sender: SteadySender, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const found = await idsOnTopic(env);
  return sender.acknowledged.filter((id) => !found.has(id));
}

/** Resolves when the sender has had answers to `more` requests from now on. */
async function answered(sender: SteadySender, more: number): Promise<void> {
  const before = sender.sent.length;
  await expect.poll(() => sender.sent.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(before + more);
}

describe('two workers', () => {
  it(
    'replaced one after another by SIGUSR2 answer every request with 200, and so they do when each is asked to stop',
    async () => {
      const env = environment();
      const ingest = await start(env);
      const first = ingest.workers();
      expect(first).toHaveLength(2);
      const sender = sendTo(ingest);
      await answered(sender, 100);

      sendSignal(ingest.pid, 'SIGUSR2');
      await allEnded(first);
      await ingest.until('ready');
      await answered(sender, 100);
      const second = ingest.workers();
      expect(second).toHaveLength(2);

      for (const pid of second) {
        sendSignal(pid, 'SIGTERM');
        await allEnded([pid]);
        await ingest.until('ready');
      }
      await answered(sender, 100);
      await sender.stop();
      expect(sender.failed).toEqual([]);
      expect(ingest.workers().filter((pid) => second.includes(pid))).toEqual([]);
      const metrics = await ingest.metrics();
      expect(metrics.get('ingest_answers_total')).toBe(sender.sent.length);
      expect([metrics.get('ingest_workers'), metrics.get('ingest_worker_restarts_total')]).toEqual([2, 0]);
      expect(await ingest.stop()).toBe(0);
      expect(await missing(sender, env)).toEqual([]);
    },
    longMs,
  );

  it(
    'of which one is killed while Kafka is away lose nothing: the other has its spool, and a new one takes its place',
    async () => {
      const port = await unusedPort();
      const way = new TcpProxy(port, inject('cluster')['KAFKA_BROKERS'] ?? '');
      const env = environment({ KAFKA_BROKERS: `127.0.0.1:${port}`, INGEST_DEADLINE_MS: '200' });
      const ingest = await start(env, 'degraded');
      const sender = sendTo(ingest);
      await answered(sender, 100);
      const [killed] = ingest.workers();
      sendSignal(killed, 'SIGKILL');
      await expect.poll(async () => (await ingest.metrics()).get('ingest_worker_restarts_total')).toBe(1);
      await ingest.untilServing(2);
      await answered(sender, 100);
      await sender.stop();
      const metrics = await ingest.metrics();
      expect(metrics.get('ingest_spool_bytes')).toBeGreaterThan(0);

      await way.open();
      cleanUps.push(() => way.cut());
      const direct = { ...env, ...inject('cluster') };
      await ingest.until('ready');
      await expect.poll(async () => (await ingest.metrics()).get('ingest_spool_bytes'), { timeout: 10_000 }).toBe(0);
      expect(await missing(sender, direct)).toEqual([]);
      // Only what the killed one had in hand has no answer.
      expect(sender.failed.length).toBeLessThan(10);
      expect(await ingest.stop()).toBe(0);
    },
    longMs,
  );
});

describe('fewer workers after a restart', () => {
  it('bring everything to Kafka that more of them have left on the disk', async () => {
    const env = environment({ INGEST_WORKERS: '3', INGEST_DRAIN_MS: '0' });
    const away = { ...env, KAFKA_BROKERS: `127.0.0.1:${await unusedPort()}`, INGEST_DEADLINE_MS: '200' };
    const three = await start(away, 'degraded');
    const sender = sendTo(three);
    await answered(sender, 150);
    await sender.stop();
    expect(sender.failed).toEqual([]);
    expect(await three.stop()).toBe(0);

    const one = await start({ ...env, INGEST_WORKERS: '1' });
    expect(await one.stop()).toBe(0);
    expect(await missing(sender, env)).toEqual([]);
    expect((await idsOnTopic(env)).size).toBe(sender.sent.length);
  });
});

describe('the supervisor', () => {
  it('says nothing but once that it cannot start, and ends with 2', async () => {
    const { env, ingest } = await startAway();
    const { port } = new URL(ingest.url);
    const second = await runCli(['ingest'], {
      ...env,
      INGEST_PORT: port,
      IMWATCH_LOG_FORMAT: 'json',
      IMWATCH_LOG_LEVEL: 'warn',
    });
    expect(second.code).toBe(2);
    expect(second.output.split('\n').map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      `bind EADDRINUSE 127.0.0.1:${port}`,
      'worker 1 cannot start, see above',
    ]);
  });

  it('is not held up by a worker that hangs, and says which it is', async () => {
    const { ingest } = await startAway();
    const [hanging = 0] = ingest.workers();
    sendSignal(hanging, 'SIGSTOP');
    expect((await ingest.ready()).reasons).toContain('worker 1 does not answer');
    expect((await ingest.metrics()).get('ingest_workers')).toBe(2);
    sendSignal(hanging, 'SIGCONT');
    await expect.poll(async () => (await ingest.ready()).reasons.join()).not.toContain('does not answer');
    expect(await ingest.stop()).toBe(0);
  });

  it('that is killed takes its workers with it, which finish what they have', async () => {
    const { ingest } = await startAway();
    const workers = ingest.workers();
    sendSignal(ingest.pid, 'SIGKILL');
    await allEnded(workers);
    const told = ingest.log.filter(({ reason }) => reason === 'the parent ended');
    expect(told.map(({ worker }) => worker).toSorted()).toEqual([1, 2]);
  });

  it('asked again while it drains ends at once, with its workers', async () => {
    const { ingest } = await startAway({ INGEST_DRAIN_MS: '10000' });
    const workers = ingest.workers();
    sendSignal(ingest.pid, 'SIGTERM');
    await ingest.until('unavailable');
    await expect
      .poll(
        () => {
          ingest.command.child.kill('SIGTERM');
          return stillRunning([ingest.pid, ...workers]);
        },
        { timeout: 5_000, interval: 300 },
      )
      .toEqual([]);
    expect(await ingest.command.end()).toBe(1);
  });
});

describe.each(['1', '2'])('a drain of %s process(es)', (workers) => {
  it('is said at once, serves on, and ends with the answer to everything', async () => {
    const env = environment({ INGEST_WORKERS: workers, INGEST_DRAIN_MS: '1500' });
    const ingest = await start(env);
    const sender = sendTo(ingest);
    await answered(sender, 50);
    sendSignal(ingest.pid, 'SIGTERM');
    await ingest.until('unavailable');
    expect(await ingest.ready()).toEqual({ code: 503, status: 'unavailable', reasons: ['stopping'] });
    // New connections are still taken.
    expect((await postCallback(ingest.url, '{}', { headers: { connection: 'close' } })).status).toBe(200);
    await answered(sender, 200);
    await sender.stop();
    expect(sender.failed).toEqual([]);
    expect(await ingest.command.end()).toBe(0);
    expect(await missing(sender, env)).toEqual([]);
  });
});
