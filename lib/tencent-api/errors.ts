import { AppError } from '../errors.ts';

/** What can be done about an error: wait and try again, sign anew and try once more, nothing as it is done already, or nothing at all. */
export type ErrorClass = 'retry' | 'sign-anew' | 'done' | 'permanent';

const retryCodes = new Set([
  ...[60004, 60005, 60007, 60008, 60011, 60014, 60018, 60019, 70169, 70202, 70500, 20004, 20005, 20028],
  ...[90992, 90994, 90995, 91000, 10002, 10006, 10023, 30006, 30007, 30008, 40006, 50004, 50005, 130014, 100001],
]);
const signAnewCodes = new Set([70001, 70003, 70009, 70013, 70014, 70052, 20002]);
const doneCodes = new Set([20023, 10013]);

/** The class of an `ErrorCode` other than 0; a code that is not known is permanent. */
export function errorClassOf(errorCode: number): ErrorClass {
  if (retryCodes.has(errorCode)) return 'retry';
  if (signAnewCodes.has(errorCode)) return 'sign-anew';
  return doneCodes.has(errorCode) ? 'done' : 'permanent';
}

/** Tencent does not answer, not as documented, or asks to try again later. */
export class TencentUnavailableError extends AppError {
  override readonly name = 'TencentUnavailableError';
  readonly code = 'TENCENT_API_UNAVAILABLE';
  readonly retryable = true;
  /** `undefined` when there was no proper answer. */
  readonly errorCode: number | undefined;

  constructor(message: string, errorCode?: number, options?: ErrorOptions) {
    super(message, options);
    this.errorCode = errorCode;
  }
}

/** Tencent refuses a call for good. */
export class TencentRefusedError extends AppError {
  override readonly name = 'TencentRefusedError';
  readonly code = 'TENCENT_API_REFUSED';
  readonly retryable = false;
  readonly errorCode: number;
  readonly errorClass: Exclude<ErrorClass, 'retry'>;

  constructor(message: string, errorCode: number, errorClass: Exclude<ErrorClass, 'retry'>) {
    super(message);
    this.errorCode = errorCode;
    this.errorClass = errorClass;
  }
}
