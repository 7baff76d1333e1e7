/**
 * An expected failure of infrastructure or of its set-up; anything else that is thrown is a bug and ends the process.
 *
 * `code` and `retryable` are literal class fields of each subclass, so that none can inherit them by mistake.
 */
export abstract class AppError extends Error {
  abstract readonly code: string;
  /** True when the same call may succeed later without anyone changing anything. */
  abstract readonly retryable: boolean;
}

/** One or more settings are wrong; the message names every one of them, a line each. */
export class ConfigError extends AppError {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  readonly retryable = false;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `Cannot start: ${problems.length === 1 ? 'a setting is' : `${problems.length} settings are`} wrong\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.problems = problems;
  }
}

/** A command cannot go on for a reason that its user can mend; the message says how. */
export class UserError extends AppError {
  override readonly name = 'UserError';
  readonly code = 'USER_ACTION_NEEDED';
  readonly retryable = false;
}

/** `error`'s message, followed by those of what it gathers and of its causes; never a stack. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = [error.message === '' ? error.name : error.message, ...partsOf(error)].join(': ');
  if (error.cause === undefined) return own;
  const cause = messageOf(error.cause);
  return own.includes(cause) ? own : `${own}: ${cause}`;
}

/** The messages of what an aggregate error gathers, each once. */
function partsOf(error: Error): readonly string[] {
  const parts = 'errors' in error && Array.isArray(error.errors) ? error.errors.map(messageOf) : [];
  return parts.length === 0 ? [] : [Array.from(new Set(parts)).join('; ')];
}

/** `error` when it is an Error, else one that carries its text. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
