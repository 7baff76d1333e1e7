import { Writable } from 'node:stream';
import pino from 'pino';
import pretty from 'pino-pretty';
import { choice } from './config/setting.ts';

export type Logger = pino.Logger;

export const logSettings = {
  logLevel: choice('IMWATCH_LOG_LEVEL', ['fatal', 'error', 'warn', 'info', 'debug', 'trace'], {
    help: 'Least severe level that is logged.',
    default: 'info',
  }),
  logFormat: choice('IMWATCH_LOG_FORMAT', ['auto', 'json', 'pretty'], {
    help: 'JSON lines, or lines for people; auto takes the latter on a terminal.',
    default: 'auto',
  }),
};

/** Names under which a secret or message text might be logged by mistake, at the top or one level down. */
const redactedNames = [
  'token',
  'tokens',
  'secretKey',
  'password',
  'authorization',
  'sign',
  'query',
  'body',
  'textContent',
];

/** Most of what standard output does not take that is kept until it does. */
const keptBytes = 1024 * 1024;

/** Standard output, line by line. That it takes none, for example because a disk is full, is no reason to stop. */
function standardOutput() {
  const output = pino.destination({ dest: 1, sync: true, maxLength: keptBytes });
  output.on('error', () => undefined);
  // Nothing is held back, so nothing has to be flushed; where a write has failed, flushing would try for ever.
  output.flushSync = () => undefined;
  return output;
}

/**
 * The root logger of a service; every line carries `service` and `identity`.
 *
 * Never log a request body, a query string, a token or a message text: redaction is the second line of defence.
 */
export function createLogger(
  service: string,
  settings: { readonly logLevel: string; readonly logFormat: 'auto' | 'json' | 'pretty' },
  identity: Readonly<Record<string, unknown>> = {},
): Logger {
  const readable = settings.logFormat === 'pretty' || (settings.logFormat === 'auto' && process.stdout.isTTY === true);
  const options: pino.LoggerOptions = {
    level: settings.logLevel,
    base: { service, ...identity },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: redactedNames.flatMap((name) => [name, `*.${name}`]),
    formatters: { level: (label) => ({ level: label }) },
  };
  const destination = standardOutput();
  if (!readable) return pino(options, destination);
  return pino(
    options,
    pretty({
      translateTime: 'SYS:HH:MM:ss.l',
      ignore: 'service,worker',
      messageFormat: '{service}{if worker} {worker}{end}: {msg}',
      singleLine: true,
      sync: true,
      // A stream that fails would be left for good, so this one does not.
      destination: new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          destination.write(chunk.toString());
          done();
        },
      }),
    }),
  );
}

export const silentLogger: Logger = pino({ level: 'silent' });
