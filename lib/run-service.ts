import closeWithGrace from 'close-with-grace';
import { AppError, asError, ConfigError, messageOf, UserError } from './errors.ts';
import { createLogger, type Logger } from './logger.ts';

/** A service that has started. */
export interface RunningService {
  /** Addresses that others reach it by, told to the parent process and the log. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Ends it in order: takes nothing new, finishes what it has, lets go of everything. */
  stop(): Promise<void>;
}

/** What a service tells the process that started it, over Node's IPC channel. */
export interface ReadyMessage {
  readonly type: 'ready';
  readonly addresses: Readonly<Record<string, string>>;
}

const stopTimeoutMs = 15_000;

/**
 * Runs one service as this process: until SIGTERM, SIGINT, or the end of the parent that holds the other end of its IPC
 * channel. An error that nobody expected is logged whole and ends the process with exit code 1; a wrong setting or a port in
 * use ends it with code 2 and one message.
 */
export async function runService(
  name: string,
  logSettings: Parameters<typeof createLogger>[1],
  start: (logger: Logger) => Promise<RunningService>,
): Promise<void> {
  const logger = createLogger(name, logSettings);
  let running: RunningService | undefined;
  const closer = closeWithGrace({ delay: stopTimeoutMs, logger: false }, async ({ signal, err }) => {
    if (err !== undefined) {
      logger.fatal({ err }, 'unexpected error, stopping');
      process.exitCode = 1;
    } else {
      logger.info({ signal }, 'stopping');
    }
    await running?.stop();
  });
  process.once('disconnect', () => closer.close());
  try {
    running = await start(logger);
  } catch (error) {
    if (!isUsersToMend(error)) throw error;
    logger.fatal(messageOf(error));
    process.exit(2);
  }
  logger.info(running.addresses, 'started');
  process.send?.({ type: 'ready', addresses: running.addresses } satisfies ReadyMessage);
}

/** True for a failure at start that its message explains fully and only a person can mend. */
function isUsersToMend(error: unknown): boolean {
  if (error instanceof ConfigError || error instanceof UserError) return true;
  return error instanceof AppError ? !error.retryable : isAddressTrouble(asError(error));
}

function isAddressTrouble(error: Error): boolean {
  return 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL');
}
