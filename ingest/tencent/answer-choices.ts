import type { AnswerChoice, AnswerWord, BeforeAnswers } from './before-answers.ts';
import { commands } from './commands.ts';

/**
 * The answers that a configuration names: command → a word, or `{"ErrorCode", "ErrorInfo"}` with a code of the app's own.
 *
 * @throws {Error} that says what was expected where.
 */
export function readAnswerChoices(value: unknown): ReadonlyMap<string, AnswerChoice> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('a JSON object of command and answer');
  }
  return new Map(Object.entries(value).map(([command, choice]) => [command, readChoice(command, choice)]));
}

function readChoice(command: string, choice: unknown): AnswerChoice {
  const answers = commands.get(command)?.before;
  if (answers === undefined) {
    const asking = [...commands].filter(([, { before }]) => before !== undefined).map(([name]) => name);
    throw new Error(`commands that ask before something happens (${asking.join(', ')}), not "${command}"`);
  }
  const word = answers.words.find((each) => each === choice);
  return word ?? readCode(command, answers, choice);
}

function readCode(
  command: string,
  { words, codes }: BeforeAnswers,
  choice: unknown,
): Exclude<AnswerChoice, AnswerWord> {
  const { ErrorCode: errorCode, ErrorInfo: errorInfo = '' } = Object(choice) as Record<string, unknown>;
  const [min, max] = codes ?? [Number.POSITIVE_INFINITY, 0];
  if (typeof errorCode === 'number' && Number.isInteger(errorCode) && errorCode >= min && errorCode <= max) {
    if (typeof errorInfo === 'string') return { errorCode, errorInfo };
  }
  const orCode = codes === undefined ? '' : `, or {"ErrorCode": ${min} to ${max}, "ErrorInfo": "…"}`;
  throw new Error(`${words.join(', ')}${orCode} for ${command}`);
}
