import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { isAlive } from '../processes.ts';
import { type KeeperFile, type KeeperMessage, type KeeperWish, messageIn } from './protocol.ts';

const answerTimeoutMs = 5_000;

/** A connection on which a keeper has answered. */
export interface KeeperConnection {
  /** Resolves when either side has ended it. */
  readonly closed: Promise<void>;
  /** Lets go; the keeper closes when it has done what this asks of it. */
  end(): void;
}

/**
 * Connects to the keeper that wrote `file`, to hold a lease or only to look.
 *
 * @param onMessage is told everything that the keeper says; the first comes before this resolves.
 * @returns `undefined` when there is no keeper or none that takes us: nobody listens, someone who does not speak as a keeper
 * does (ports are used again), or a keeper that stops.
 */
export async function connectToKeeper(
  file: KeeperFile,
  wish: KeeperWish,
  onMessage: (message: KeeperMessage) => void,
): Promise<KeeperConnection | undefined> {
  if (!isAlive(file.pid)) return undefined;
  const socket = connect({ port: file.port, host: '127.0.0.1', allowHalfOpen: true });
  const answered = Promise.withResolvers<boolean>();
  const closed = Promise.withResolvers<void>();
  const tooLate = setTimeout(() => socket.destroy(), answerTimeoutMs);

  socket.once('connect', () => socket.write(`${wish} ${file.token}\n`));
  const lines = createInterface({ input: socket });
  lines.on('line', (line) => {
    const message = messageIn(line);
    if (message === undefined) {
      socket.destroy();
      return;
    }
    clearTimeout(tooLate);
    onMessage(message);
    answered.resolve(true);
    // What has failed has nothing to lend.
    if (message.type === 'failed') socket.end();
  });
  lines.on('error', () => socket.destroy());
  for (const event of ['error', 'end']) socket.on(event, () => socket.destroy());
  socket.once('close', () => {
    clearTimeout(tooLate);
    answered.resolve(false);
    closed.resolve();
  });

  if (!(await answered.promise)) return undefined;
  return { closed: closed.promise, end: () => socket.end() };
}
