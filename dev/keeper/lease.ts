import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../../lib/errors.ts';
import type { Environment } from '../run-program.ts';
import { connectToKeeper } from './connection.ts';
import { endLeftoversOfLost } from './leftovers.ts';
import {
  type BrokerAddresses,
  type BrokerKind,
  type KeeperMessage,
  keeperLogPath,
  readKeeperFile,
} from './protocol.ts';
import { KeeperStarter, logEnd } from './start.ts';

/** A broker and a registry that run for at least as long as this is held. */
export interface Lease extends BrokerAddresses {
  readonly kind: BrokerKind;
  /** Rejects when broker and registry end although the lease is held. */
  readonly lost: Promise<never>;
  /** Lets go; resolves when broker and registry have stopped, or at once when others hold a lease too. */
  release(): Promise<void>;
}

export interface LeaseRequest {
  /** Absolute path of IMWATCH_HOME. */
  readonly home: string;
  /** How broker and registry are started when they do not run. */
  readonly kind: BrokerKind;
  /** Variables for what is started. */
  readonly env: Environment;
  readonly onProgress: (text: string) => void;
  /** Gives the attempt up; it then rejects once whatever had been started has stopped again. */
  readonly signal: AbortSignal;
}

/** Time for finding a keeper that gives a lease, the end of one that is stopping included. */
const keeperTimeoutMs = 45_000;
const pollMs = 100;

/**
 * Takes a lease on the broker and registry of a home: of the keeper that runs, or of one started now.
 *
 * @throws {UserError} when they do not start, with the reason.
 */
export async function takeLease(request: LeaseRequest): Promise<Lease> {
  const { home, kind, env, signal } = request;
  const keepers = new KeeperStarter(home, kind, env);
  const deadlineMs = performance.now() + keeperTimeoutMs;
  signal.throwIfAborted();
  for (;;) {
    const lease = await tryLease(request);
    if (lease !== undefined) return lease;
    if (performance.now() > deadlineMs) throw new UserError(noLeaseMessage(home));
    // One that is on its way is waited for even when we give up: only who is connected can tell it that it is not needed.
    if (!keepers.isOnItsWay) signal.throwIfAborted();
    keepers.ensureStarted();
    await pause(pollMs);
  }
}

/** `undefined` when no keeper gives a lease, or one ends without a reason before it is ready: another may do better. */
async function tryLease({ home, env, onProgress, signal }: LeaseRequest): Promise<Lease | undefined> {
  const file = readKeeperFile(home);
  if (file === undefined) return undefined;
  const ready = Promise.withResolvers<BrokerAddresses>();
  let failure: UserError | undefined;
  const connection = await connectToKeeper(file, 'lease', (message) => {
    if (message.type === 'progress') onProgress(message.text);
    else if (message.type === 'ready') ready.resolve(message);
    else failure = new UserError(message.message);
  });
  if (connection === undefined) return undefined;

  // A keeper that was killed leaves what it ran to us.
  const ended = connection.closed.then(() => endLeftoversOfLost(home, env));
  const giveUp = (): void => connection.end();
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  const addresses = await Promise.race([ready.promise, connection.closed]);
  signal.removeEventListener('abort', giveUp);
  if (addresses === undefined || signal.aborted) {
    connection.end();
    await ended;
    signal.throwIfAborted();
    if (failure !== undefined) throw failure;
    return undefined;
  }

  let isReleased = false;
  const lost = connection.closed.then((): Promise<never> => {
    if (isReleased) return new Promise(() => undefined);
    throw failure ?? new UserError(`The keeper of ${home} ended; see ${keeperLogPath(home)}`);
  });
  // A lease that nobody waits on may be lost without taking the process along.
  lost.catch(() => undefined);
  const release = (): Promise<void> => {
    isReleased = true;
    connection.end();
    return ended;
  };
  const { brokers, registryUrl } = addresses;
  return { kind: file.kind, brokers, registryUrl, lost, release };
}

/** Addresses of the broker and registry that run for a home, if any do. */
export async function runningBroker(home: string): Promise<(BrokerAddresses & { kind: BrokerKind }) | undefined> {
  const { kind, message } = (await look(home)) ?? {};
  return kind !== undefined && message?.type === 'ready' ? { ...message, kind } : undefined;
}

/** How broker and registry run for a home or start at this moment, if they do. */
export async function runningKind(home: string): Promise<BrokerKind | undefined> {
  return (await look(home))?.kind;
}

/** What the keeper of a home says, if one runs; takes no lease. */
async function look(home: string): Promise<{ readonly kind: BrokerKind; readonly message: KeeperMessage } | undefined> {
  const file = readKeeperFile(home);
  if (file === undefined) return undefined;
  const messages: KeeperMessage[] = [];
  const connection = await connectToKeeper(file, 'look', (message) => messages.push(message));
  await connection?.closed;
  const [message] = messages;
  return message === undefined ? undefined : { kind: file.kind, message };
}

function noLeaseMessage(home: string): string {
  const pid = readKeeperFile(home)?.pid;
  const reason =
    pid === undefined
      ? `The keeper of ${home} ended before broker and registry were ready.`
      : `The broker of ${home} is held by process ${pid}, which does not answer.`;
  return `${reason} ${logEnd(home)}`;
}
