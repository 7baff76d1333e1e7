import { request } from 'undici';
import type { Clock } from '../../lib/clock.ts';
import type { App } from '../../lib/config/apps.ts';
import { messageOf } from '../../lib/errors.ts';
import { callbackUrl } from '../callback-url.ts';
import type { Outgoing } from './outgoing.ts';

const timeoutMs = 15_000;

/** What came back, or why nothing did. */
export type Answered =
  | { readonly status: number; readonly tookMs: number; readonly text: string }
  | { readonly failure: string };

/** Signs a callback for now and posts it. */
export async function post(base: string, app: App, outgoing: Outgoing, clock: Clock): Promise<Answered> {
  const { command, body, query } = outgoing;
  const url = callbackUrl(base, app, command, clock.nowMs(), query);
  const startedMs = clock.monotonicMs();
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await request(url, { method: 'POST', headers, body, headersTimeout: timeoutMs });
    const text = await answer.body.text();
    return { status: answer.statusCode, tookMs: Math.round(clock.monotonicMs() - startedMs), text };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}
