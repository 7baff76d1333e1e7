import { isArray, isObject, type JsonObject } from './json.ts';

/** What is answered to a callback that asks before something happens: a word, or an error code of the app's own. */
export type AnswerChoice = AnswerWord | { readonly errorCode: number; readonly errorInfo: string };

/** discard: the sender sees success, and nothing is delivered. */
export type AnswerWord = 'allow' | 'forbid' | 'discard';

/** What may be answered to a command that asks before something happens. */
export interface BeforeAnswers {
  readonly words: readonly AnswerWord[];
  /** Error codes with which an app may forbid, as the client then sees them: smallest and largest. */
  readonly codes: readonly [min: number, max: number] | undefined;
  /** What the answer carries beside or instead of ActionStatus OK, ErrorCode 0 and an empty ErrorInfo. */
  answer(body: JsonObject, choice: AnswerChoice): Readonly<Record<string, unknown>>;
}

const wordCodes: Readonly<Record<AnswerWord, number>> = { allow: 0, forbid: 1, discard: 2 };

function byErrorCode(_body: JsonObject, choice: AnswerChoice): Readonly<Record<string, unknown>> {
  if (choice === 'allow') return {};
  if (typeof choice === 'string') return { ErrorCode: wordCodes[choice] };
  return { ErrorCode: choice.errorCode, ErrorInfo: choice.errorInfo };
}

/** A message before it is sent: ErrorCode 0, 1 or 2, or a code that the sender is to see. */
export function messageAnswers(codes: BeforeAnswers['codes']): BeforeAnswers {
  return { words: ['allow', 'forbid', 'discard'], codes, answer: byErrorCode };
}

/** An action before it happens: ErrorCode 0 or 1, or a code that the client is to see. */
export function actionAnswers(codes: BeforeAnswers['codes']): BeforeAnswers {
  return { words: ['allow', 'forbid'], codes, answer: byErrorCode };
}

/** An invitation before it is sent; those who may not be invited could be listed, imwatch lists nobody. */
export function invitationAnswers(codes: BeforeAnswers['codes']): BeforeAnswers {
  return {
    words: ['allow', 'forbid'],
    codes,
    answer: (body, choice) => ({ ...byErrorCode(body, choice), RefusedMembers_Account: [] }),
  };
}

const friendCodes = [38_000, 39_000] as const;

/** Friend requests under `source`: an item for each account, refused with a code from 38000 to 39000. */
export function friendAnswers(source: string): BeforeAnswers {
  return {
    words: ['allow', 'forbid'],
    codes: friendCodes,
    answer: (body, choice) => {
      const { errorCode, errorInfo } = friendResult(choice);
      const items = body[source];
      const accounts = isArray(items) ? items.filter(isObject).map((item) => item['To_Account']) : [];
      return {
        ResultItem: accounts
          .filter((account) => typeof account === 'string')
          .map((account) => ({ To_Account: account, ResultCode: errorCode, ResultInfo: errorInfo })),
      };
    },
  };
}

function friendResult(choice: AnswerChoice): { readonly errorCode: number; readonly errorInfo: string } {
  if (typeof choice === 'object') return choice;
  return { errorCode: choice === 'allow' ? 0 : friendCodes[0], errorInfo: '' };
}
