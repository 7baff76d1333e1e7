import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../../lib/errors.ts';
import { makeFolder } from '../folders.ts';
import { isAlive } from '../processes.ts';
import { endLeftovers } from './leftovers.ts';
import {
  type BrokerAddresses,
  type BrokerKind,
  brokerFolder,
  type KeeperFile,
  type KeeperMessage,
  keeperLogPath,
  readKeeperFile,
} from './protocol.ts';

/** A broker and a registry that run for at least as long as this is held. */
export interface Lease extends BrokerAddresses {
  readonly kind: BrokerKind;
  /** Rejects when broker and registry end although the lease is held. */
  readonly lost: Promise<never>;
  /** Lets go; resolves when broker and registry have stopped, or at once when others hold a lease too. */
  release(): Promise<void>;
}

const keeperStartTimeoutMs = 45_000;
const pollMs = 100;

/**
 * Takes a lease on the broker and registry of `home`: of the keeper that runs, or of one started now as `kind`.
 *
 * @param signal gives the attempt up; then this rejects once whatever had been started has stopped again.
 * @throws {UserError} when they do not start, with the reason.
 */
export async function takeLease(
  home: string,
  kind: BrokerKind,
  onProgress: (text: string) => void,
  signal: AbortSignal,
): Promise<Lease> {
  const socket = await reachKeeper(home, kind, signal);
  const messages = createInterface({ input: socket });
  const ended = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<Extract<KeeperMessage, { type: 'ready' }>>();
  const lost = Promise.withResolvers<never>();
  let released = false;
  let failure: string | undefined;
  // A lease that nobody waits on may be lost without taking the process along.
  lost.promise.catch(() => undefined);

  messages.on('line', (line) => {
    const message = JSON.parse(line) as KeeperMessage;
    if (message.type === 'progress') onProgress(message.text);
    else if (message.type === 'ready') ready.resolve(message);
    else {
      failure = message.message;
      socket.end();
    }
  });
  messages.on('error', () => socket.destroy());
  for (const event of ['error', 'end']) socket.on(event, () => socket.destroy());
  socket.once('close', () => {
    ended.resolve();
    // A keeper that was killed leaves its children to us.
    if (!released) void endLeftovers(readKeeperFile(home));
    const error = new UserError(failure ?? `The keeper of ${home} ended; see ${keeperLogPath(home)}`);
    ready.reject(error);
    if (!released) lost.reject(error);
  });

  const release = (): Promise<void> => {
    released = true;
    socket.end();
    return ended.promise;
  };
  signal.addEventListener('abort', release, { once: true });
  const { brokers, registryUrl, kind: running } = await ready.promise;
  signal.removeEventListener('abort', release);
  return { kind: running, brokers, registryUrl, lost: lost.promise, release };
}

/** Addresses of the broker and registry that run for `home`, if any do. */
export async function runningBroker(home: string): Promise<(BrokerAddresses & { kind: BrokerKind }) | undefined> {
  const file = readKeeperFile(home);
  if (file?.addresses === undefined) return undefined;
  const socket = await connectTo(file);
  socket?.destroy();
  return socket === undefined ? undefined : { ...file.addresses, kind: file.kind };
}

async function reachKeeper(home: string, kind: BrokerKind, signal: AbortSignal): Promise<Socket> {
  const deadline = Date.now() + keeperStartTimeoutMs;
  let keeperRuns = (): boolean => false;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    const file = readKeeperFile(home);
    const socket = file === undefined ? undefined : await connectTo(file);
    if (file !== undefined && socket !== undefined) {
      socket.write(`${file.token}\n`);
      return socket;
    }
    if (!keeperRuns()) keeperRuns = startKeeper(home, kind);
    await pause(pollMs);
  }
  throw new UserError(lockMessage(home, readKeeperFile(home)));
}

/** Starts a keeper in a session of its own, so that a Ctrl-C in our terminal does not reach it. Tells whether it runs. */
function startKeeper(home: string, kind: BrokerKind): () => boolean {
  makeFolder(brokerFolder(home));
  const log = openSync(keeperLogPath(home), 'a');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), home, kind], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
  return () => child.exitCode === null && child.signalCode === null;
}

/** A connection to the keeper that wrote `file`, if it still runs. */
function connectTo(file: KeeperFile): Promise<Socket | undefined> {
  if (!isAlive(file.pid)) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = connect({ port: file.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', () => resolve(undefined));
  });
}

function lockMessage(home: string, file: KeeperFile | undefined): string {
  const holder = file === undefined ? 'a process that does not answer' : `process ${file.pid}, which does not answer`;
  const end = readFileSync(keeperLogPath(home), 'utf8').split('\n').slice(-10).join('\n');
  return `The broker of ${home} is held by ${holder}. The end of ${keeperLogPath(home)}:\n${end}`;
}
