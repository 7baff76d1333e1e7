/**
 * Whether a backend's answer may be passed on to Tencent: 200 and a JSON object with an ErrorCode that is a whole number.
 *
 * @see https://trtc.io/document/34354
 */
export function isAnswer(status: number, text: string): boolean {
  if (status !== 200) return false;
  try {
    const { ErrorCode: code } = Object(JSON.parse(text)) as { ErrorCode?: unknown };
    return Number.isInteger(code);
  } catch {
    return false;
  }
}
