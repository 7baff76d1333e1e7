import { AppError, asError, messageOf } from './errors.ts';
import { createLogger, type Logger } from './logger.ts';
import { watchStopSignals } from './stop-signals.ts';

/** A service that has started. */
export interface RunningService {
  /** Addresses that others reach it by, told to the parent process and the log. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Comes before the stop when that was announced (SIGTERM): says that it goes, and serves on until others have noticed. */
  drain?(): Promise<void>;
  /** Ends it in order: takes nothing new, finishes what it has, lets go of everything. */
  stop(): Promise<void>;
  /** Resolves, with why, when the service itself was asked to stop. */
  readonly asked?: Promise<string>;
}

/** What a service tells the process that started it, over Node's IPC channel. */
export interface ReadyMessage {
  readonly type: 'ready';
  readonly addresses: Readonly<Record<string, string>>;
}

const stopTimeoutMs = 15_000;

/** What a service's process tells the shell. */
const exitCodes = { stopped: 0, crashed: 1, cannotStart: 2 } as const;

/**
 * Runs one service as this process: until SIGTERM, SIGINT, or the end of the parent that holds the other end of its IPC
 * channel. A Ctrl-C and the end of the parent stop it at once, a signal of a service manager lets it drain first. An error that nobody expected is logged whole and ends the process with code 1, after an orderly stop where one is
 * still possible; a wrong setting or a port in use ends it with code 2 and one message.
 */
export async function runService(
  name: string,
  logSettings: Parameters<typeof createLogger>[1],
  start: (logger: Logger) => Promise<RunningService>,
  identity: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const logger = createLogger(name, logSettings, identity);
  let running: RunningService | undefined;
  let stopping = false;

  const stop = async (exitCode: number, isAnnounced = false): Promise<void> => {
    if (stopping) return;
    stopping = true;
    if (isAnnounced) await running?.drain?.();
    setTimeout(() => {
      logger.fatal(`not stopped after ${stopTimeoutMs} ms, ending`);
      process.exit(exitCodes.crashed);
    }, stopTimeoutMs).unref();
    await running?.stop();
    process.exit(exitCode);
  };
  const crash = (error: unknown): void => {
    logger.fatal({ err: error }, 'unexpected error, stopping');
    if (stopping) process.exit(exitCodes.crashed);
    stop(exitCodes.crashed).catch(crash);
  };
  const leave = (reason: string, isAnnounced = false): void => {
    logger.info({ reason }, 'stopping');
    stop(exitCodes.stopped, isAnnounced).catch(crash);
  };

  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  process.once('disconnect', () => leave('the parent ended'));
  const isCtrlC = (signal: string): boolean => signal === 'SIGINT' && process.stdin.isTTY === true;
  watchStopSignals(
    (signal) => leave(signal, !isCtrlC(signal)),
    () => process.exit(exitCodes.crashed),
  );

  try {
    running = await start(logger);
  } catch (error) {
    if (!isUsersToMend(error)) throw error;
    logger.fatal(messageOf(error));
    process.exit(exitCodes.cannotStart);
  }
  logger.info(running.addresses, 'started');
  process.send?.({ type: 'ready', addresses: running.addresses } satisfies ReadyMessage);
  void running.asked?.then((reason) => leave(reason));
}

/** True for a failure at start that its message explains fully and only a person can mend. */
function isUsersToMend(error: unknown): boolean {
  if (error instanceof AppError) return !error.retryable;
  const { code } = asError(error) as { code?: unknown };
  return code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL';
}
