import { integer, json, text } from './setting.ts';

/** One Tencent IM application whose callbacks are taken. */
export interface App {
  readonly sdkAppId: number;
  /** Callback tokens that are accepted, at most two (the second during a change); none: requests are not signed. */
  readonly tokens: readonly string[];
  /** Administrator account of the REST API. */
  readonly adminAccount?: string;
  /** Key that signs REST calls. */
  readonly secretKey?: string;
  /** Region of the app's REST domain. */
  readonly region?: Region;
}

export const regions = ['cn', 'sg', 'kr', 'jp', 'de', 'us', 'id', 'in'] as const;
export type Region = (typeof regions)[number];

const maxSdkAppId = 2 ** 32 - 1;

export const appSettings = {
  apps: json(
    'IMWATCH_APPS',
    {
      help: 'The Tencent IM apps: a JSON list of {"sdkAppId", "tokens" (none to two), "adminAccount", "secretKey", "region"}.',
      secret: true,
    },
    readApps,
  ),
  sdkAppId: integer('IMWATCH_SDK_APP_ID', {
    help: 'SDKAppID, when there is one app; instead of IMWATCH_APPS.',
    min: 1,
    max: maxSdkAppId,
  }),
  token: text('IMWATCH_TOKEN', {
    help: 'Callback token of that app, as set in the console (callback authentication).',
    secret: true,
  }),
  secretKey: text('IMWATCH_SECRET_KEY', { help: 'Secret key of that app, for REST calls.', secret: true }),
  adminAccount: text('IMWATCH_ADMIN_ACCOUNT', { help: 'Administrator account of that app, for REST calls.' }),
};

interface AppValues {
  readonly apps: readonly App[] | undefined;
  readonly sdkAppId: number | undefined;
  readonly token: string | undefined;
  readonly secretKey: string | undefined;
  readonly adminAccount: string | undefined;
}

/** What is wrong with the app settings taken together, a sentence each. */
export function appProblems(values: AppValues): string[] {
  if (values.apps !== undefined && values.sdkAppId !== undefined) {
    return ['IMWATCH_APPS and IMWATCH_SDK_APP_ID are both set, expected one of them'];
  }
  const beside = Object.entries({ token: values.token, secretKey: values.secretKey, adminAccount: values.adminAccount })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => appSettings[key as 'token'].name);
  if (values.apps !== undefined && beside.length > 0) {
    return [`IMWATCH_APPS and ${beside.join(', ')} are both set, expected the latter inside the former`];
  }
  if (values.apps === undefined && values.sdkAppId === undefined) {
    return ['IMWATCH_SDK_APP_ID is not set, expected the SDKAppID of your app (or IMWATCH_APPS for several)'];
  }
  return [];
}

/** The apps that `values` name; valid when `appProblems` finds nothing. */
export function appsOf(values: AppValues): readonly App[] {
  if (values.apps !== undefined) return values.apps;
  if (values.sdkAppId === undefined) return [];
  return [
    {
      sdkAppId: values.sdkAppId,
      tokens: values.token === undefined ? [] : [values.token],
      ...(values.adminAccount === undefined ? {} : { adminAccount: values.adminAccount }),
      ...(values.secretKey === undefined ? {} : { secretKey: values.secretKey }),
    },
  ];
}

function readApps(value: unknown): readonly App[] {
  if (!Array.isArray(value) || value.length === 0) throw new Error('a JSON list of at least one app');
  const apps = value.map(readApp);
  const ids = new Set(apps.map((app) => app.sdkAppId));
  if (ids.size !== apps.length) throw new Error('every sdkAppId once');
  return apps;
}

const readers: Record<keyof App, (value: unknown) => boolean> = {
  sdkAppId: (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maxSdkAppId,
  tokens: (value) =>
    Array.isArray(value) && value.length <= 2 && value.every((token) => typeof token === 'string' && token !== ''),
  adminAccount: (value) => typeof value === 'string',
  secretKey: (value) => typeof value === 'string',
  region: (value) => regions.some((region) => region === value),
};

const expectations: Record<keyof App, string> = {
  sdkAppId: `an integer from 1 to ${maxSdkAppId}`,
  tokens: 'a list of none to two texts',
  adminAccount: 'a text',
  secretKey: 'a text',
  region: `one of ${regions.join(', ')}`,
};

function readApp(value: unknown, index: number): App {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`a JSON object as app ${index + 1}`);
  }
  for (const [field, content] of Object.entries(value)) {
    if (!isAppField(field)) throw new Error(`no field "${field}" in app ${index + 1}`);
    if (!readers[field](content)) throw new Error(`"${field}" of app ${index + 1} to be ${expectations[field]}`);
  }
  if (!('sdkAppId' in value)) throw new Error(`"sdkAppId" in app ${index + 1}`);
  return { tokens: [], ...value } as unknown as App;
}

function isAppField(field: string): field is keyof App {
  return Object.hasOwn(readers, field);
}
