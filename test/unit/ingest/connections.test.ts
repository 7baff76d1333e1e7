import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { verdictCommand } from '../../support/callbacks.ts';
import { closed } from '../../support/closed.ts';
import { anIngestApp, listening, metricOf, signedUrl } from '../../support/ingest-app.ts';

type Limits = NonNullable<NonNullable<Parameters<typeof anIngestApp>[0]>['limits']>;

async function setUp(limits: Limits = {}, requestTimeoutMs = 10_000) {
  const parts = anIngestApp({ limits, requestTimeoutMs });
  const { port } = await listening(parts.app);
  onTestFinished(() => parts.app.close());
  const open = async (): Promise<Client> => {
    const client = new Client(connect(port, '127.0.0.1'));
    onTestFinished(() => void client.socket.destroy());
    await once(client.socket, 'connect');
    return client;
  };
  const url = signedUrl(verdictCommand, parts.clock.nowMs());
  const request = `POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`;
  const openConnections = () => metricOf(parts.metrics, 'ingest_connections');
  const dropped = () => metricOf(parts.metrics, 'ingest_connections_dropped_total');
  return { ...parts, port, open, url, request, openConnections, dropped };
}

/** A connection that collects what comes back. */
class Client {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on('error', () => socket.destroy());
  }

  get received(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  /** Sends a request and waits for its answer. */
  async ask(request: string): Promise<string> {
    this.socket.write(request);
    await once(this.socket, 'data');
    return this.received;
  }

  async closed(): Promise<string> {
    await closed(this.socket);
    return this.received;
  }

  /** Sends `text` byte by byte until the other side has closed the connection. */
  async drip(text: string): Promise<string> {
    for (const byte of text) {
      if (this.socket.destroyed) break;
      this.socket.write(byte);
      await pause(20);
    }
    return this.closed();
  }
}

describe('connections', () => {
  it('above the limit are closed at once and counted; there is room again when one ends', async () => {
    const { open, request, openConnections, dropped } = await setUp({ maxConnections: 2 });
    const [first, second] = [await open(), await open()];
    expect(await first?.ask(request)).toMatch(/^HTTP\/1.1 200 /);
    expect(await second?.ask(request)).toMatch(/^HTTP\/1.1 200 /);
    const third = await open();
    expect(await third.closed()).toBe('');
    expect([await openConnections(), await dropped()]).toEqual([2, 1]);
    first?.socket.destroy();
    await expect.poll(openConnections).toBe(1);
    expect(await (await open()).ask(request)).toMatch(/^HTTP\/1.1 200 /);
    expect(await dropped()).toBe(1);
  });

  it('without a further request are closed after the keep-alive time, not before', async () => {
    const { open, request } = await setUp({ keepAliveMs: 300 });
    const client = await open();
    await client.ask(request);
    const beginMs = performance.now();
    await client.closed();
    expect(performance.now() - beginMs).toBeGreaterThanOrEqual(300);
  });

  it('on which nothing comes are answered 408 and closed', async () => {
    const { open } = await setUp({}, 200);
    expect(await (await open()).closed()).toMatch(/^HTTP\/1.1 408 /);
  });

  it.each([
    ['headers', (url: string) => `POST ${url} HTTP/1.1\r\nA: ${'a'.repeat(2_000)}`, ''],
    ['body', () => ' '.repeat(1_000), 'Content-Length: 1000\r\n\r\n'],
  ])('on which the %s come drop by drop are answered 408 and closed', async (_part, dripping, head) => {
    const { open, url, metrics } = await setUp({}, 300);
    const client = await open();
    if (head !== '') client.socket.write(`POST ${url} HTTP/1.1\r\nHost: x\r\n${head}`);
    expect(await client.drip(dripping(url))).toMatch(/^HTTP\/1.1 408 /);
    expect(await metricOf(metrics, 'ingest_refused_total', { reason: 'too_slow' })).toBe(1);
  });

  it('whose client sends on and on and takes no answer are closed', async () => {
    const { port, openConnections } = await setUp({ silenceMs: 400 });
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.pause();
    await once(socket, 'connect');
    const requests = 'POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'.repeat(100_000);
    socket.write(requests);
    await expect.poll(openConnections).toBe(1);
    await expect.poll(openConnections, { timeout: 20_000 }).toBe(0);
    // It ended because nobody took its answers, not because all had been given.
    expect(socket.writableLength + socket.bytesRead).toBeLessThan(requests.length);
  }, 30_000);

  it('that are shed are asked to close with their next answer, also where it is the first; until then they stay, and none are taken', async () => {
    const { app, clock, port, open, request, openConnections } = await setUp();
    const [used, idle, fresh] = [await open(), await open(), await open()];
    expect(await used?.ask(request)).toMatch(/connection: keep-alive/i);
    expect(await idle?.ask(request)).toMatch(/connection: keep-alive/i);
    let isShed = false;
    const shed = app.shedConnections(1_000).then(() => {
      isShed = true;
    });
    const refused = connect(port, '127.0.0.1');
    expect(await once(refused, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
    used?.socket.write(request);
    expect(await used?.closed()).toMatch(/ 200 [\s\S]* 200 [\s\S]*connection: close/i);
    fresh?.socket.write(request);
    expect(await fresh?.closed()).toMatch(/ 200 [\s\S]*connection: close/i);
    await expect.poll(openConnections).toBe(1);
    expect(isShed).toBe(false);
    idle?.socket.write(request);
    expect(await idle?.closed()).toMatch(/ 200 [\s\S]* 200 [\s\S]*connection: close/i);
    await shed;
    expect(clock.waiting).toBe(0);
  });

  it('that are shed and never used again end with the server, at the latest after 3 s', async () => {
    const { app, clock, clockWatch, open, request, url } = await setUp();
    const [idle, silent, slow] = [await open(), await open(), await open()];
    slow?.socket.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`);
    await expect.poll(() => clockWatch.meanDifferenceSec(clock.nowMs())).toBe(0);
    await idle?.ask(request);
    const shed = app.shedConnections(1_000);
    clock.advance(1_000);
    await shed;
    const closing = app.close();
    await idle?.closed();
    await silent?.closed();
    await expect.poll(() => clock.waiting).toBe(1);
    clock.advance(2_999);
    expect(slow?.socket.destroyed).toBe(false);
    clock.advance(1);
    await closing;
    expect([await slow?.closed(), clock.waiting]).toEqual(['', 0]);
  });

  it('do not keep a stopping server open, whatever they wait for', async () => {
    const { app, clock, clockWatch, open, url } = await setUp();
    const silent = await open();
    const slow = await open();
    slow.socket.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{`);
    // It has been admitted, and its body is waited for.
    await expect.poll(() => clockWatch.meanDifferenceSec(clock.nowMs())).toBe(0);
    const closing = app.close();
    await expect.poll(() => app.server.listening).toBe(false);
    await expect.poll(() => clock.waiting).toBe(1);
    clock.advance(3_000);
    await closing;
    expect([await silent.closed(), await slow.closed()]).toEqual(['', '']);
    expect(clock.waiting).toBe(0);
  });
});

describe('a server of localhost', () => {
  it('answers in the same way at both its addresses', async () => {
    const { app } = anIngestApp();
    onTestFinished(() => app.close());
    await app.listen({ host: 'localhost', port: 0 });
    const answers = await Promise.all(
      (app.addresses() as readonly AddressInfo[]).map(async ({ address, port }) => {
        const client = new Client(connect(port, address));
        client.socket.write('HELLO\r\n\r\n');
        return client.closed();
      }),
    );
    expect(answers.length).toBeGreaterThanOrEqual(1);
    for (const answer of answers) expect(answer.match(/"ActionStatus":"FAIL"/g)).toHaveLength(1);
  });
});
