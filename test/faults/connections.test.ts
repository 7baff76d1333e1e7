import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serviceEnvironment, unusedPort } from '../support/pipeline.ts';
import { sendSignal } from '../support/processes.ts';
import { makeTestFolder } from '../support/test-folder.ts';
import { IngestProcess } from './ingest-process.ts';

/** More than Node lets wait by default, and fewer than INGEST_MAX_CONNECTIONS. */
const connections = 1_500;
const trouble = systemTrouble();
const note = trouble === undefined ? '' : ` (skipped: ${trouble})`;

describe.skipIf(trouble !== undefined)(`many connections at once${note}`, () => {
  it('are all taken by the system while ingest has no time for them, and then served', async () => {
    const folder = makeTestFolder();
    const env = serviceEnvironment({
      KAFKA_BROKERS: `127.0.0.1:${await unusedPort()}`,
      SCHEMA_REGISTRY_URL: `http://127.0.0.1:${await unusedPort()}`,
      INGEST_SPOOL_DIR: join(folder, 'spool'),
    });
    const ingest = await IngestProcess.create(env, join(folder, 'log'));
    onTestFinished(() => ingest.kill());
    await ingest.start();
    sendSignal(ingest.pid, 'SIGSTOP');
    const sockets = Array.from({ length: connections }, () => connect(Number(new URL(ingest.url).port), '127.0.0.1'));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    sendSignal(ingest.pid, 'SIGCONT');
    const answers = sockets.map(async (socket) => {
      socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString().slice(0, 12);
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 405']));
  });
});

/** Why the system does not let so many wait; `undefined` when it does. */
function systemTrouble(): string | undefined {
  try {
    const most = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
    return most >= connections ? undefined : `net.core.somaxconn is ${most}`;
  } catch {
    return 'there is no net.core.somaxconn';
  }
}
