// The keeper of a home: a process that runs broker and registry for as long as anyone holds a lease on them. It outlives the
// process that started it by the moment it needs to stop them, so nothing is left behind however that process ends.
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { processEnvironment } from '../../lib/config/sources.ts';
import { asError, messageOf } from '../../lib/errors.ts';
import { ProcessLock } from '../../lib/process-lock.ts';
import { startDocker } from '../docker/backend.ts';
import { startEmbedded } from '../embedded/backend.ts';
import type { Backend } from './backend.ts';
import { endLeftovers } from './leftovers.ts';
import {
  type BrokerKind,
  type KeeperFile,
  type KeeperMessage,
  keeperLockPath,
  newToken,
  readKeeperFile,
  removeKeeperFile,
  writeKeeperFile,
} from './protocol.ts';

/** Time for the first lease after the start. */
const firstLeaseTimeoutMs = 10_000;

const [home, kind] = process.argv.slice(2) as [string, BrokerKind];
const lock = ProcessLock.tryTake(keeperLockPath(home));
// Another keeper was faster: whoever started this one finds that one.
if (lock === undefined) process.exit(0);

await endLeftovers(readKeeperFile(home));

const leases = new Set<Socket>();
const stopping = new AbortController();
let backend: Backend | undefined;
let last: KeeperMessage = { type: 'progress', text: 'starting' };
let stopped: Promise<void> | undefined;

const server = createServer({ allowHalfOpen: true }, (socket) => {
  const lines = createInterface({ input: socket });
  lines.once('line', (token) => {
    if (token !== file.token) {
      socket.destroy();
      return;
    }
    leases.add(socket);
    socket.write(`${JSON.stringify(last)}\n`);
  });
  lines.on('error', ignoreLostClient);
  socket.on('error', ignoreLostClient);
  // "end" comes from a client that lets go and waits, "close" from one that was killed.
  for (const event of ['end', 'close']) {
    socket.on(event, () => {
      if (!leases.delete(socket)) return;
      if (leases.size === 0) stop().then(() => socket.end());
      else socket.end();
    });
  }
});

/** A client that was killed resets its connection: its lease ends, nothing else. */
function ignoreLostClient(): void {
  // "close" follows.
}

function tell(message: KeeperMessage): void {
  last = message;
  for (const lease of leases) lease.write(`${JSON.stringify(message)}\n`);
}

/** Ends everything, once; whoever asks waits for the same end. */
function stop(): Promise<void> {
  stopped ??= (async () => {
    server.close();
    removeKeeperFile(home);
    stopping.abort();
    await starting;
    await backend?.stop();
    lock?.release();
    setImmediate(() => process.exit(0));
  })();
  return stopped;
}

await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
if (address === null || typeof address === 'string') throw new Error('The keeper has no port');
let file: KeeperFile = { pid: process.pid, kind, port: address.port, token: newToken(), children: [] };
writeKeeperFile(home, file);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());
setTimeout(() => {
  if (leases.size === 0) void stop();
}, firstLeaseTimeoutMs);

const starting = start().catch((error: unknown) => {
  if (stopping.signal.aborted) return;
  process.stderr.write(`${asError(error).stack}\n`);
  tell({ type: 'failed', message: messageOf(error) });
});

async function start(): Promise<void> {
  const started = await (kind === 'docker' ? startDocker : startEmbedded)({
    home,
    env: processEnvironment(),
    onProgress: (text) => tell({ type: 'progress', text }),
    onChild: (pid) => {
      file = { ...file, children: [...file.children, pid] };
      writeKeeperFile(home, file);
    },
    signal: stopping.signal,
  });
  backend = started;
  started.onUnexpectedEnd((what) => {
    tell({ type: 'failed', message: `${what} ended by itself; its log is in ${home}/broker` });
    void stop();
  });
  if (stopping.signal.aborted) return;
  const { addresses } = started;
  file = { ...file, addresses };
  writeKeeperFile(home, file);
  tell({ type: 'ready', kind, ...addresses });
}
