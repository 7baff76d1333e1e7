import { type App, appProblems, appSettings, appsOf } from '../lib/config/apps.ts';
import { readSettings, type Sources } from '../lib/config/read.ts';
import { UserError } from '../lib/errors.ts';

/** The configured app with this SDKAppID; all apps when none is named. @throws {UserError} when there is none such. */
export function chooseApps(sources: Sources, wanted: string | undefined): readonly App[] {
  const first = chooseApp(sources, wanted);
  return wanted === undefined ? appsOf(readSettings(appSettings, sources, appProblems)) : [first];
}

/** The configured app with this SDKAppID, or the first. @throws {UserError} when there is none such. */
export function chooseApp(sources: Sources, wanted: string | undefined): App {
  const apps = appsOf(readSettings(appSettings, sources, appProblems));
  const app = wanted === undefined ? apps[0] : apps.find((candidate) => String(candidate.sdkAppId) === wanted);
  if (app === undefined) {
    throw new UserError(`No app ${wanted}, expected one of ${apps.map((candidate) => candidate.sdkAppId).join(', ')}`);
  }
  return app;
}
