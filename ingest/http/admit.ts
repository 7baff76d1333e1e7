import type { IncomingHttpHeaders } from 'node:http';
import type { AddressList } from '../../lib/address-list.ts';
import type { App } from '../../lib/config/apps.ts';
import type { CallbackQuery } from '../tencent/query.ts';
import { SignatureCheck } from '../tencent/signature.ts';
import { type Refusal, refusals } from './answers.ts';

export interface AdmissionRules {
  readonly apps: ReadonlyMap<string, App>;
  /** Takes callbacks of apps without a token also when they passed a proxy. */
  readonly allowUnsigned: boolean;
  /** Where callbacks may come from; `undefined`: anywhere. */
  readonly allowedSources?: AddressList | undefined;
}

export type Admission = { readonly app: App } | { readonly refusal: Refusal };

const signRefusals = { missing: refusals.signMissing, forged: refusals.forged, stale: refusals.stale };

/** Decides by the address `source`, query and headers alone: the body is not read before. */
export type Admit = (source: string, query: CallbackQuery, headers: IncomingHttpHeaders, nowMs: number) => Admission;

/** Whether a request may be taken, by these rules. */
export function createAdmission({ apps, allowUnsigned, allowedSources }: AdmissionRules): Admit {
  const signatures = new Map(Array.from(apps.values(), (app) => [app, new SignatureCheck(app.tokens)] as const));
  return (source, query, headers, nowMs) => {
    if (allowedSources?.has(source) === false) return { refusal: refusals.source };
    if (query.repeated !== undefined) return { refusal: refusals.repeatedParameter };
    const app = query.sdkAppId === undefined ? undefined : apps.get(query.sdkAppId);
    if (app === undefined) return { refusal: refusals.app };
    if (app.tokens.length > 0) {
      const sign = signatures.get(app)?.check(query, nowMs) ?? 'missing';
      if (sign !== 'valid') return { refusal: signRefusals[sign] };
    } else if (!allowUnsigned && isFromElsewhere(headers)) {
      return { refusal: refusals.proxyHeader };
    }
    if (headers['content-encoding'] !== undefined) return { refusal: refusals.encoding };
    return { app };
  };
}

/** Whether a request came by a proxy, so perhaps from elsewhere, or from a web page in someone's browser. */
function isFromElsewhere(headers: IncomingHttpHeaders): boolean {
  return Object.keys(headers).some((name) => foreignHeaders.has(name) || name.startsWith('x-forwarded-'));
}

const foreignHeaders = new Set(['forwarded', 'via', 'origin']);
