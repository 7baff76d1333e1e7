import { describe, expect, it } from 'vitest';
import { appProblems, appSettings, appsOf } from '../../../lib/config/apps.ts';
import { readSettings } from '../../../lib/config/read.ts';

function appsFrom(env: Record<string, string>) {
  return appsOf(readSettings(appSettings, { env, file: {}, running: {} }, appProblems));
}

describe('apps', () => {
  it('are one app of single settings', () => {
    expect(appsFrom({ IMWATCH_SDK_APP_ID: '1400187352', IMWATCH_TOKEN: 't', IMWATCH_ADMIN_ACCOUNT: 'a' })).toEqual([
      { sdkAppId: 1400187352, tokens: ['t'], adminAccount: 'a' },
    ]);
  });

  it('are several apps of IMWATCH_APPS, a token or two each', () => {
    const text = '[{"sdkAppId":1,"tokens":["old","new"],"region":"sg"},{"sdkAppId":2}]';
    expect(appsFrom({ IMWATCH_APPS: text })).toEqual([
      { sdkAppId: 1, tokens: ['old', 'new'], region: 'sg' },
      { sdkAppId: 2, tokens: [] },
    ]);
  });

  it.each([
    ['neither way is used', {}, 'IMWATCH_SDK_APP_ID is not set'],
    ['both ways are used', { IMWATCH_APPS: '[{"sdkAppId":1}]', IMWATCH_SDK_APP_ID: '1' }, 'are both set'],
    ['the list is empty', { IMWATCH_APPS: '[]' }, 'a JSON list of at least one app'],
    ['an app is no object', { IMWATCH_APPS: '[1]' }, 'a JSON object as app 1'],
    ['an app has no id', { IMWATCH_APPS: '[{"tokens":[]}]' }, '"sdkAppId" in app 1'],
    ['an app stands twice', { IMWATCH_APPS: '[{"sdkAppId":1},{"sdkAppId":1}]' }, 'every sdkAppId once'],
    ['an id is too large', { IMWATCH_APPS: '[{"sdkAppId":4294967296}]' }, 'an integer from 1 to 4294967295'],
    [
      'there are three tokens',
      { IMWATCH_APPS: '[{"sdkAppId":1,"tokens":["a","b","c"]}]' },
      'a list of none to two texts',
    ],
    ['a token is empty', { IMWATCH_APPS: '[{"sdkAppId":1,"tokens":[""]}]' }, 'a list of none to two texts'],
    ['a field is misspelt', { IMWATCH_APPS: '[{"sdkAppId":1,"token":"a"}]' }, 'no field "token" in app 1'],
    ['a region is unknown', { IMWATCH_APPS: '[{"sdkAppId":1,"region":"mars"}]' }, 'one of cn, sg, kr'],
  ])('are refused when %s', (_name, env, message) => {
    expect(() => appsFrom(env)).toThrow(message);
  });

  it('never show tokens in an error', () => {
    expect(() => appsFrom({ IMWATCH_APPS: '[{"sdkAppId":0,"tokens":["sesame"]}]' })).toThrow(/^(?!.*sesame)/s);
  });
});
