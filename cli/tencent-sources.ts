import { ingestSettings } from '../ingest/config.ts';
import { AddressList } from '../lib/address-list.ts';
import { systemClock } from '../lib/clock.ts';
import { type App, appProblems, appSettings, appsOf } from '../lib/config/apps.ts';
import { readSettings, type Sources } from '../lib/config/read.ts';
import { AppError, ConfigError, messageOf } from '../lib/errors.ts';
import { callbackSources, TencentApi } from '../lib/tencent-api/client.ts';
import { tencentApiSettings } from '../lib/tencent-api/settings.ts';
import type { Finding } from './checks.ts';
import { escapeControls } from './output.ts';

const check = 'sources';
const setting = ingestSettings.allowedSources.name;

interface Fetched {
  readonly addresses: readonly string[];
  readonly findings: readonly Finding[];
}

/** Asks Tencent where its callbacks come from, and compares that with the sources that ingest takes them from. */
export async function checkTencentSources(sources: Sources): Promise<readonly Finding[]> {
  try {
    const apps = appsOf(readSettings(appSettings, sources, appProblems));
    const { apiBase } = readSettings(tencentApiSettings, sources);
    const { allowedSources } = readSettings({ allowedSources: ingestSettings.allowedSources }, sources);
    const fetched = await Promise.all(apps.map((app) => fetchFor(app, apiBase)));
    const findings = fetched.flatMap((each) => each.findings);
    const addresses = Array.from(new Set(fetched.flatMap((each) => each.addresses))).toSorted(byNumber);
    return addresses.length === 0 ? findings : [...findings, ...compare(addresses, allowedSources)];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((detail) => ({ check, status: 'failure', detail }));
  }
}

async function fetchFor(app: App, base: string | undefined): Promise<Fetched> {
  const { sdkAppId, adminAccount, secretKey, region } = app;
  if (adminAccount === undefined || secretKey === undefined) {
    const detail = `Tencent cannot be asked for app ${sdkAppId}: that needs its administrator account and secret key (IMWATCH_ADMIN_ACCOUNT and IMWATCH_SECRET_KEY, or adminAccount and secretKey in IMWATCH_APPS)`;
    return { addresses: [], findings: [{ check, status: 'failure', detail }] };
  }
  const api = new TencentApi({ sdkAppId, adminAccount, secretKey, region }, base, systemClock);
  try {
    const [china, overseas] = [await ask(api, callbackSources.china), await ask(api, callbackSources.overseas)];
    const addresses = [...china.addresses, ...overseas.addresses];
    const troubles = Array.from(new Set([...china.troubles, ...overseas.troubles]));
    const hint = troubles.some((trouble) => trouble.includes('60026')) ? '; is "region" in IMWATCH_APPS right?' : '';
    const detail = `app ${sdkAppId}: Tencent names ${china.addresses.length} addresses and ranges in China and ${overseas.addresses.length} overseas that callbacks come from`;
    const status = addresses.length === 0 ? 'failure' : 'ok';
    const missing = troubles.map((trouble): Finding => {
      return {
        check,
        status: addresses.length === 0 ? 'failure' : 'warning',
        detail: `app ${sdkAppId}: ${trouble}${hint}`,
      };
    });
    return {
      addresses,
      findings: status === 'ok' || missing.length === 0 ? [{ check, status, detail }, ...missing] : missing,
    };
  } finally {
    await api.close();
  }
}

/** What Tencent names of one kind, without what is no address, and why something is missing. */
async function ask(
  api: TencentApi,
  netType: number,
): Promise<{ readonly addresses: readonly string[]; readonly troubles: readonly string[] }> {
  try {
    const found = await api.ipList(netType);
    const strange = found.filter((text) => !isAddress(text));
    const troubles = strange.map(
      (text) => `Tencent names ${JSON.stringify(text)}, which is no address and is left out`,
    );
    return { addresses: found.filter(isAddress), troubles };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { addresses: [], troubles: [escapeControls(messageOf(error))] };
  }
}

function compare(addresses: readonly string[], allowed: AddressList | undefined): readonly Finding[] {
  const line = `${setting}=${addresses.join(',')}`;
  if (allowed === undefined) {
    const detail = `${setting} is not set, so callbacks are taken from anywhere; this takes them from Tencent alone:`;
    return [{ check, status: 'ok', detail, line }];
  }
  const missing = addresses.filter((address) => !allowed.covers(address));
  if (missing.length === 0) {
    return [{ check, status: 'ok', detail: `${setting} holds all of them; what Tencent names is:`, line }];
  }
  const detail = `${setting} lacks ${missing.join(', ')}, so callbacks from there are refused; what Tencent names is:`;
  return [{ check, status: 'warning', detail, line }];
}

function isAddress(text: string): boolean {
  try {
    return new AddressList([text]).texts.length === 1;
  } catch {
    return false;
  }
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
