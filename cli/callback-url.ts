import { signOf } from '../ingest/tencent/signature.ts';
import type { App } from '../lib/config/apps.ts';

/** The URL that Tencent would call for `command`, signed for now when the app has a token; `more` is added to its query and may replace any of it. */
export function callbackUrl(
  base: string,
  app: Pick<App, 'sdkAppId' | 'tokens'>,
  command: string,
  nowMs: number,
  more: Readonly<Record<string, string>> = {},
): string {
  const url = new URL(base);
  url.searchParams.set('SdkAppid', String(app.sdkAppId));
  url.searchParams.set('CallbackCommand', command);
  url.searchParams.set('contenttype', 'json');
  const [token] = app.tokens;
  if (token !== undefined) {
    const requestTimeSec = Math.floor(nowMs / 1000);
    url.searchParams.set('Sign', signOf(token, requestTimeSec));
    url.searchParams.set('RequestTime', String(requestTimeSec));
  }
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
  return url.href;
}
