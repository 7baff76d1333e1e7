import { signOf } from '../../ingest/tencent/signature.ts';
import { systemClock } from '../../lib/clock.ts';

export const sdkAppId = 1400187352;
export const token = 'benchmark';

/** How many users the verdicts are about: as many keys. */
export const senders = 5_000;

/** Digits of the number in a request's id. */
export const idDigits = 12;

/** Path and query of a verdict, signed for now; taken for 60 s. */
export function target(): string {
  const nowSec = Math.floor(systemClock.nowMs() / 1000);
  return `/?SdkAppid=${sdkAppId}&CallbackCommand=ContentCallback.ResultNotify&contenttype=json&Sign=${signOf(token, nowSec)}&RequestTime=${nowSec}`;
}

/**
 * The three parts of a verdict as the fullest documented version has it: between the first two stands the number of its sender
 * in four digits, between the last two the number of the request in twelve.
 */
export const bodyParts = [
  `{"Scene":"C2C","SdkAppId":${sdkAppId},"From_Account":"user-`,
  '","ContactItem":{"ContactType":1,"To_Account":"Jonh"},"ContentType":"Text","TextContent":["aaabbbccc","1234567"],"MsgID":"',
  '_4137340972_1661154487","CtxcbResult":1,"CtxcbRequestId":"241ed925-4c56-4357-95dd-1e6e7798f214","CtxcbKeywords":["aaabbbccc","1234567"],"CtxcbSuggestion":"Review","CtxcbLabel":"Sexy","CtxcbSubLabel":"InsinuationPorn","CtxcbSubLabelDesc":"影射XX","CtxcbLibName":"test","CloudCustomData":"aaabbbccc"}',
] as const;

/** The body of request `number`: every one has an id of its own, all have the same length. */
export function bodyOf(number: number): string {
  const [before, between, after] = bodyParts;
  const sender = String(number % senders).padStart(4, '0');
  return `${before}${sender}${between}${String(number).padStart(idDigits, '0')}${after}`;
}

/** Numbers of requests that a loop may use: no two loops of a run share one. */
export const numbersInLoop = 100_000_000;
