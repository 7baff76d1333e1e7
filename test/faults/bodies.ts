import { signOf } from '../../ingest/tencent/signature.ts';
import { sdkAppId } from '../support/callbacks.ts';

export const token = 'xxxxyyyy';
export const pushCommand = 'Push.AllMemberPush';

/** Query parameters of a request that is signed at `nowMs`. */
export function signedQuery(nowMs: number): Record<string, string> {
  const requestTimeSec = Math.floor(nowMs / 1000);
  return { Sign: signOf(token, requestTimeSec), RequestTime: String(requestTimeSec) };
}

/** What tells an event from every other: its key and its place among those of the key. */
export function idOf(key: string, sequence: number): string {
  return `${key}#${sequence}`;
}

/** A verdict about `key` in the fullest form that Tencent documents. */
export function verdict(key: string, sequence: number): string {
  return `{"Scene":"C2C","SdkAppId":${sdkAppId},"From_Account":"${key}","ContactItem":{"ContactType":1,"To_Account":"Jonh"},"ContentType":"Text","TextContent":["aaabbbccc","1234567"],"MsgID":"${idOf(key, sequence)}","CtxcbResult":1,"CtxcbRequestId":"241ed925-4c56-4357-95dd-1e6e7798f214","CtxcbKeywords":["aaabbbccc","1234567"],"CtxcbSuggestion":"Review","CtxcbLabel":"Sexy","CtxcbSubLabel":"InsinuationPorn","CtxcbSubLabelDesc":"影射XX","CtxcbLibName":"test","CloudCustomData":"aaabbbccc"}`;
}

const mebibyte = 1024 * 1024;

/** A verdict of exactly 1 MiB. */
export function largeVerdict(key: string, sequence: number): string {
  const without = JSON.stringify({ From_Account: key, MsgID: idOf(key, sequence), CtxcbResult: 1, TextContent: [''] });
  return without.replace('[""]', `["${'x'.repeat(mebibyte - without.length)}"]`);
}

/** A batch of `items` push events about one account. */
export function pushBatch(key: string, items: number): string {
  const event = (item: number) => ({
    EventType: 1,
    To_Account: key,
    PushStage: 2,
    PushPlatform: 1,
    PushID: idOf(key, item),
    TaskId: 'task',
    MsgSeq: item + 1,
    EventTime: 1_700_000_000,
  });
  return JSON.stringify({ Events: Array.from({ length: items }, (_, item) => event(item)) });
}
