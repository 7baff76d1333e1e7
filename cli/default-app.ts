import { appSettings } from '../lib/config/apps.ts';
import { type Sources, textOf } from '../lib/config/read.ts';

/** SDKAppID of the samples in Tencent's documents: stands in while no app is configured, on this machine only. */
export const documentedSdkAppId = '1400187352';

/** Whether anything about an app is set; what is missing beside it is then an error. */
export function hasApp(sources: Sources): boolean {
  return Object.values(appSettings).some((setting) => textOf(sources, setting.name) !== undefined);
}

/** `sources`, with the app of Tencent's samples where none is configured; it has no token, so ingest stays on 127.0.0.1. */
export function withDefaultApp(sources: Sources): Sources {
  if (hasApp(sources)) return sources;
  return { ...sources, env: { ...sources.env, [appSettings.sdkAppId.name]: documentedSdkAppId } };
}
