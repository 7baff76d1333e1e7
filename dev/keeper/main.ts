// The keeper of a home: a process that runs broker and registry for as long as anyone holds a lease on them. It outlives the
// process that started it by the moment it needs to stop them, so nothing is left behind however that process ends. What a
// keeper that was itself killed leaves is ended by those who hold a lease; when they are killed at the same moment, Java
// processes or containers stay until the next start of this home, which ends them first.
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { processEnvironment } from '../../lib/config/sources.ts';
import { asError, messageOf } from '../../lib/errors.ts';
import { ProcessLock } from '../../lib/process-lock.ts';
import { startDocker } from '../docker/backend.ts';
import { startEmbedded } from '../embedded/backend.ts';
import type { Backend } from './backend.ts';
import { runningKind } from './lease.ts';
import { endLeftovers } from './leftovers.ts';
import {
  type BrokerKind,
  type KeeperFile,
  type KeeperMessage,
  keeperLockPath,
  newToken,
  removeKeeperFile,
  writeKeeperFile,
} from './protocol.ts';

/** Time for the first lease after the start. */
const firstLeaseTimeoutMs = 10_000;
/** More than a keeper needs to stop. */
const lockTimeoutMs = 60_000;
const lockPollMs = 100;

const [home, kind] = process.argv.slice(2) as [string, BrokerKind];
const env = processEnvironment();
const lock = await takeLock();
await endLeftovers(home, env, (line) => process.stderr.write(`${line}\n`));

const leases = new Set<Socket>();
const stopping = new AbortController();
let backend: Backend | undefined;
let last: KeeperMessage = { type: 'progress', text: 'starting' };
let stopped: Promise<void> | undefined;

const server = createServer({ allowHalfOpen: true }, (socket) => {
  const lines = createInterface({ input: socket });
  lines.once('line', (line) => {
    const [wish, token] = line.split(' ');
    // Who comes while we stop has to find the next keeper.
    if (token !== file.token || stopped !== undefined) {
      socket.destroy();
      return;
    }
    socket.write(`${JSON.stringify(last)}\n`);
    if (wish === 'lease') leases.add(socket);
    else socket.end();
  });
  lines.on('error', ignoreLostClient);
  socket.on('error', ignoreLostClient);
  // "end" comes from a client that lets go and waits, "close" from one that was killed.
  for (const event of ['end', 'close']) {
    socket.on(event, () => {
      if (leases.delete(socket) && leases.size === 0) stop().then(() => socket.end());
      else if (stopped === undefined) socket.end();
    });
  }
});

/** The lock of the keeper. While another has it that stops, or that ends what a killed one left, this waits. */
async function takeLock(): Promise<ProcessLock> {
  const deadlineMs = performance.now() + lockTimeoutMs;
  while (performance.now() < deadlineMs) {
    const taken = ProcessLock.tryTake(keeperLockPath(home));
    if (taken !== undefined) return taken;
    // Whoever started this one finds that one.
    if ((await runningKind(home)) !== undefined) break;
    await pause(lockPollMs);
  }
  process.exit(0);
}

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
    stopping.abort();
    await starting;
    await backend?.stop();
    // Not before: by this file others find what we run, should we be killed meanwhile.
    removeKeeperFile(home);
    lock.release();
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
    env,
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
  tell({ type: 'ready', kind, ...started.addresses });
}
