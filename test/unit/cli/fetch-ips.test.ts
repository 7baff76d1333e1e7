import { describe, expect, it, onTestFinished } from 'vitest';
import type { Finding } from '../../../cli/checks.ts';
import { checkTencentSources } from '../../../cli/tencent-sources.ts';
import { type StandInOptions, TencentStandIn } from '../../../dev/tencent-api/stand-in.ts';
import { runCli } from '../../support/cli.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

const secretKey = 'a-secret-key';
const apps = [
  { sdkAppId: 1_400_000_001, adminAccount: 'admin', secretKey },
  { sdkAppId: 1_400_000_002, adminAccount: 'admin', secretKey: 'another-secret-key' },
];
const lists = { 5: ['183.192.202.0/25', '127.0.0.2'], 6: ['203.0.113.0/24'] };
const line = 'INGEST_ALLOWED_SOURCES=127.0.0.2,183.192.202.0/25,203.0.113.0/24';

/** Settings for a stand-in of Tencent's REST API that runs. */
async function settings(ipLists: StandInOptions['ipLists'] = lists): Promise<Record<string, string>> {
  const standIn = new TencentStandIn({ apps, ipLists });
  const base = await standIn.start();
  onTestFinished(() => standIn.stop());
  return {
    IMWATCH_SDK_APP_ID: '1400000001',
    IMWATCH_SECRET_KEY: secretKey,
    IMWATCH_ADMIN_ACCOUNT: 'admin',
    TENCENT_API_BASE: base,
  };
}

/** What is found with these settings. */
async function check(
  more: Readonly<Record<string, string>>,
  ipLists?: StandInOptions['ipLists'],
): Promise<readonly Finding[]> {
  const found = await checkTencentSources({ env: { ...(await settings(ipLists)), ...more }, file: {}, running: {} });
  expect(JSON.stringify(found)).not.toContain('secret-key');
  return found;
}

describe('imwatch doctor --fetch-ips, as a process', () => {
  const doctor = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const own = { IMWATCH_HOME: makeTestFolder(), IMWATCH_ENV_FILE: '', KAFKA_BROKERS: '127.0.0.1:1' };
    const env = { ...(await settings()), ...own, SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1', ...more };
    const { output, errors } = await runCli(['doctor', '--fetch-ips', ...args], env);
    expect(output + errors).not.toContain('secret-key');
    return output;
  };

  it('prints the setting that takes callbacks from Tencent alone, on a line to copy', async () => {
    const output = await doctor([]);
    expect(output.split('\n')).toContain(line);
    expect(output).toContain(
      'ok       sources: INGEST_ALLOWED_SOURCES is not set, so callbacks are taken from anywhere',
    );
  }, 20_000);

  it('gives the same as JSON', async () => {
    const output = await doctor(['--json'], { INGEST_ALLOWED_SOURCES: '127.0.0.2' });
    expect(JSON.parse(output) as unknown).toContainEqual({
      check: 'sources',
      status: 'warning',
      detail: expect.stringContaining('INGEST_ALLOWED_SOURCES lacks 183.192.202.0/25, 203.0.113.0/24'),
      line,
    });
  }, 20_000);
});

describe('the sources that Tencent names', () => {
  it('finds nothing wrong with what is configured as it should be, also in wider ranges', async () => {
    const found = await check({ INGEST_ALLOWED_SOURCES: '127.0.0.0/8,183.192.0.0/16,203.0.113.0/24,10.0.0.1' });
    expect(found).toEqual([
      {
        check: 'sources',
        status: 'ok',
        detail: 'app 1400000001: Tencent names 2 addresses and ranges in China and 1 overseas that callbacks come from',
      },
      {
        check: 'sources',
        status: 'ok',
        detail: 'INGEST_ALLOWED_SOURCES holds all of them; what Tencent names is:',
        line,
      },
    ]);
  });

  it('warns of addresses that are missing', async () => {
    const found = await check({ INGEST_ALLOWED_SOURCES: '183.192.202.0/26,203.0.113.0/24' });
    expect(found.at(-1)).toMatchObject({
      status: 'warning',
      detail:
        'INGEST_ALLOWED_SOURCES lacks 127.0.0.2, 183.192.202.0/25, so callbacks from there are refused; what Tencent names is:',
      line,
    });
  });

  it('asks for each app', async () => {
    const several = {
      IMWATCH_SDK_APP_ID: '',
      IMWATCH_SECRET_KEY: '',
      IMWATCH_ADMIN_ACCOUNT: '',
      IMWATCH_APPS: JSON.stringify(apps),
    };
    const found = await check(several);
    expect(found.map(({ detail }) => /^app (\d+)/.exec(detail)?.[1])).toEqual(['1400000001', '1400000002', undefined]);
    expect(found.at(-1)?.line).toBe(line);
  });

  it('says what it needs where it has no key', async () => {
    const found = await check({ IMWATCH_SECRET_KEY: '', IMWATCH_ADMIN_ACCOUNT: '' });
    expect(found).toEqual([
      {
        check: 'sources',
        status: 'failure',
        detail:
          'Tencent cannot be asked for app 1400000001: that needs its administrator account and secret key (IMWATCH_ADMIN_ACCOUNT and IMWATCH_SECRET_KEY, or adminAccount and secretKey in IMWATCH_APPS)',
      },
    ]);
  });

  it('says what Tencent says when it refuses', async () => {
    const found = await check({ IMWATCH_SECRET_KEY: 'mistaken' });
    const detail = 'app 1400000001: Tencent answers ConfigSvc/GetIPList with error 70009: usersig is wrong';
    expect(found).toEqual([{ check: 'sources', status: 'failure', detail }]);
  });

  it('asks about the region where Tencent says that it is another', async () => {
    const found = await check({}, { 5: 60_026, 6: 60_026 });
    expect(found[0]?.detail).toContain('is "region" in IMWATCH_APPS right?');
  });

  it('goes on with one list when the other cannot be had, and leaves out what is no address', async () => {
    const found = await check({}, { 5: ['127.0.0.2', 'example.com'], 6: 60_007 });
    expect(found.map(({ status }) => status)).toEqual(['ok', 'warning', 'warning', 'ok']);
    expect(found[1]?.detail).toContain('"example.com", which is no address and is left out');
    expect(found[2]?.detail).toContain('error 60007');
    expect(found[3]?.line).toBe('INGEST_ALLOWED_SOURCES=127.0.0.2');
  });
});
