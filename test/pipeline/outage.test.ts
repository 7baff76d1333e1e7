import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { ingestTopicIds } from '../../ingest/tencent/request.ts';
import { smallestVerdict } from '../support/callbacks.ts';
import { startTestIngest, unusedPort } from '../support/pipeline.ts';

const body = JSON.stringify(smallestVerdict);
const cleanUps: (() => Promise<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startAway(more: Record<string, string>) {
  const ingest = await startTestIngest({ INGEST_DEADLINE_MS: '300', ...more });
  cleanUps.push(() => ingest.stop());
  return ingest;
}

/** Forwards connections on `port` to `target`, host:port. */
async function forward(port: number, target: string): Promise<void> {
  const [host = '', targetPort = ''] = target.split(':');
  const sockets = new Set<Socket>();
  const server: Server = createServer((incoming) => {
    const outgoing = connect(Number(targetPort), host);
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
    }
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    return undefined;
  });
}

describe('Kafka away at the start', () => {
  it('does not keep ingest from answering: 503, refusals as ever, and not ready for a reason', async () => {
    const port = await unusedPort();
    const ingest = await startAway({ KAFKA_BROKERS: `127.0.0.1:${port}` });
    expect(await ingest.post(body)).toMatchObject({ status: 503, answer: { ActionStatus: 'FAIL', ErrorCode: 1 } });
    expect(await ingest.post(body, { query: { Sign: 'f'.repeat(64) } })).toMatchObject({ status: 403 });
    expect(await ingest.post('{}', { command: null })).toMatchObject({ status: 200 });
    expect(await ingest.metrics()).toContain('ingest_answers_total{durable="none"} 1');
    expect((await ingest.readiness()).status).toBe('unavailable');
  });

  it('is over as soon as Kafka answers', async () => {
    const port = await unusedPort();
    const ingest = await startAway({ KAFKA_BROKERS: `127.0.0.1:${port}` });
    expect((await ingest.post(body)).status).toBe(503);
    await forward(port, inject('cluster')['KAFKA_BROKERS'] ?? '');
    await ingest.ready();
    expect((await ingest.post(body)).status).toBe(200);
    expect(await ingest.count('verdict')).toBe(1);
  });
});

describe('the registry away at the start', () => {
  it('is waited for, and named as the reason', async () => {
    const port = await unusedPort();
    const registry = new URL(inject('cluster')['SCHEMA_REGISTRY_URL'] ?? '');
    const target = registry.host;
    registry.host = `127.0.0.1:${port}`;
    const ingest = await startAway({ SCHEMA_REGISTRY_URL: registry.href });
    expect((await ingest.post(body)).status).toBe(503);
    await expect.poll(async () => (await ingest.readiness()).reasons.join(), { timeout: 20_000 }).toContain('registry');
    await forward(port, target);
    await ingest.ready();
    expect((await ingest.post(body)).status).toBe(200);
  });
});

describe('missing topics', () => {
  it('are named when this service may not create them', async () => {
    const ingest = await startAway({ IMWATCH_CREATE_TOPICS: 'false' });
    await expect
      .poll(async () => (await ingest.readiness()).reasons.join(), { timeout: 20_000 })
      .toBe(
        `No topic ${ingestTopicIds.map((id) => `${ingest.prefix}.${id}.v1`).join(', ')}; run \`imwatch topics create\``,
      );
  });
});
