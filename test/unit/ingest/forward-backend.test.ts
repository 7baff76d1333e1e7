import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readIngestConfig } from '../../../ingest/config.ts';
import { Backend } from '../../../ingest/forward/backend.ts';
import { allowing, answering, BackendStandIn, type Behaviour } from '../../support/backend-stand-in.ts';
import { opensslTrouble, TestAuthority } from '../../support/certificates.ts';

const never = new AbortController().signal;
const ok = '{"ErrorCode":0}';

function aCallback(queryString = 'SdkAppid=1') {
  const body = Buffer.from('{"a":1}');
  return { command: 'A.B', queryString, body, remoteAddress: '203.0.113.7', traceparent: undefined, startedMs: 0 };
}

function aBackend(url: string, caFile?: string): Backend {
  const backend = new Backend({ url, caFile, connections: 1 });
  onTestFinished(() => backend.close());
  return backend;
}

async function aStandIn(behaviour: Behaviour = allowing): Promise<BackendStandIn> {
  const standIn = await BackendStandIn.start(behaviour);
  onTestFinished(() => standIn.stop());
  return standIn;
}

/** A stand-in for a backend that knows no HTTP: `onRequest` is called for each piece of a connection that comes. */
async function bareServer(onRequest: (socket: Socket, connection: number) => void): Promise<string> {
  let connections = 0;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => onRequest(socket, connection));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/im`;
}

describe('a relayed request', () => {
  it.each(["a='b'", 'a="<b>"', 'a=%zz&&=&b', 'a={}|`^', 'a=b#c', ''])(
    'has the query %j as it came',
    async (queryString) => {
      const standIn = await aStandIn();
      await aBackend(standIn.url).post(aCallback(queryString), 'after', never);
      expect(standIn.taken.map(({ url }) => url)).toEqual([`/im/callback?${queryString}`]);
    },
  );

  it('goes to the very path of the setting, a slash at its end included', async () => {
    const standIn = await aStandIn();
    const env = { IMWATCH_SDK_APP_ID: '1', INGEST_FORWARD_URL: `${standIn.url}/` };
    const { forwardUrl = '' } = readIngestConfig({
      env: { ...env, KAFKA_BROKERS: 'a:1', SCHEMA_REGISTRY_URL: 'http://a' },
      file: {},
      running: {},
    });
    await aBackend(forwardUrl).post(aCallback(), 'after', never);
    expect(standIn.taken.map(({ url }) => url)).toEqual(['/im/callback/?SdkAppid=1']);
  });
});

describe('a connection that breaks', () => {
  const answer = `HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: ${ok.length}\r\n\r\n${ok}`;

  it('because the backend has just ended what was kept alive, is no failure', async () => {
    let requests = 0;
    const url = await bareServer((socket, connection) => {
      requests += 1;
      if (connection === 1 && requests > 1) socket.destroy();
      else socket.write(answer);
    });
    const backend = aBackend(url);
    expect(await backend.post(aCallback(), 'before', never)).toEqual({ kind: 'answered', status: 200, text: ok });
    expect(await backend.post(aCallback(), 'before', never)).toEqual({ kind: 'answered', status: 200, text: ok });
    expect(requests).toBe(3);
  });

  it('each time, is one after the second time', async () => {
    let requests = 0;
    const url = await bareServer((socket) => {
      requests += 1;
      socket.destroy();
    });
    expect(await aBackend(url).post(aCallback(), 'before', never)).toMatchObject({ kind: 'failed' });
    expect(requests).toBe(2);
  });
});

describe('the answer to a callback that is waited for', () => {
  it('of 100 MB is not read to its end', async () => {
    const mebibyte = Buffer.alloc(1024 * 1024, ' ');
    let written = 0;
    const standIn = await aStandIn((response) => {
      response.writeHead(200);
      const more = (): void => {
        while (written < 100 && !response.destroyed) {
          written += 1;
          if (!response.write(mebibyte)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const answer = await aBackend(standIn.url).post(aCallback(), 'before', never);
    expect(answer).toEqual({ kind: 'failed', why: 'an answer of more than 65536 bytes' });
    expect(written).toBeLessThan(100);
  });

  it('is none when it is not UTF-8', async () => {
    const standIn = await aStandIn((response) => {
      response
        .writeHead(200)
        .end(Buffer.concat([Buffer.from('{"ErrorCode":1,"ErrorInfo":"'), Buffer.of(0xff), Buffer.from('"}')]));
    });
    expect(await aBackend(standIn.url).post(aCallback(), 'before', never)).toMatchObject({ text: '' });
  });
});

describe('the answer to a callback that is relayed in the background', () => {
  it('counts by its status alone, however long it is', async () => {
    const standIn = await aStandIn(answering(200, 'x'.repeat(1_000_000)));
    const answer = await aBackend(standIn.url).post(aCallback(), 'after', never);
    expect(answer).toEqual({ kind: 'answered', status: 200, text: '' });
  });

  it('counts by its status alone, though it breaks off', async () => {
    const url = await bareServer((socket) => {
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{');
    });
    expect(await aBackend(url).post(aCallback(), 'after', never)).toEqual({ kind: 'answered', status: 200, text: '' });
  });
});

const trouble = opensslTrouble();

describe.skipIf(trouble !== undefined)(
  `a backend with a certificate of its own authority${trouble === undefined ? '' : ` (skipped: ${trouble})`}`,
  () => {
    function setUp() {
      const folder = mkdtempSync(join(tmpdir(), 'imwatch-forward-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      return { folder, authority: new TestAuthority(folder, 'authority') };
    }

    it('is believed with INGEST_FORWARD_CA, and not without', async () => {
      const { authority } = setUp();
      const { cert, key } = authority.issue('backend');
      const server = createTlsServer({ cert, key }, (_request, response) => response.end(ok));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      expect(await aBackend(url, authority.certPath).post(aCallback(), 'before', never)).toMatchObject({ text: ok });
      expect(await aBackend(url).post(aCallback(), 'before', never)).toMatchObject({
        kind: 'failed',
        why: expect.stringContaining('unable to verify the first certificate'),
      });
    });

    it('is not begun with a file that is no certificate', () => {
      const { folder } = setUp();
      const file = join(folder, 'wrong.pem');
      writeFileSync(file, 'wrong');
      const env = {
        IMWATCH_SDK_APP_ID: '1',
        KAFKA_BROKERS: 'a:1',
        SCHEMA_REGISTRY_URL: 'http://a',
        INGEST_FORWARD_CA: file,
      };
      expect(() => readIngestConfig({ env, file: {}, running: {} })).toThrow(
        'INGEST_FORWARD_CA cannot be used: it is no PEM certificate',
      );
    });
  },
);
