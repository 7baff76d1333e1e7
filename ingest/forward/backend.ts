import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { Agent, type Dispatcher } from 'undici';
import { messageOf } from '../../lib/errors.ts';
import type { Relayed } from './relayed.ts';

/** What a backend answered, or why it did not. */
export type BackendAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'failed'; readonly why: string };

export interface BackendOptions {
  readonly url: string;
  /** File with the authorities (PEM) that its certificate is checked by, in place of the public ones. */
  readonly caFile: string | undefined;
  /** Connections for each of the two kinds of callbacks, so that those in the background hold no others up. */
  readonly connections: number;
}

/** Marks what imwatch has relayed, so that two that point at each other do not go round for ever. */
export const relayedHeader = 'x-imwatch-forwarded';

/** An answer that is longer is no answer to a callback. */
const maxAnswerBytes = 64 * 1024;

const brokenCodes: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** The backend that an app has behind imwatch, over HTTP. */
export class Backend {
  readonly #origin: string;
  readonly #path: string;
  readonly #agents: { readonly before: Agent; readonly after: Agent };

  constructor({ url, caFile, connections }: BackendOptions) {
    const { origin, pathname } = new URL(url);
    this.#origin = origin;
    this.#path = pathname;
    const ca = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
    const agent = (): Agent => new Agent({ connections, pipelining: 1, ...(ca !== undefined && { connect: { ca } }) });
    this.#agents = { before: agent(), after: agent() };
  }

  /**
   * Posts a callback as it came. Never throws; the signal ends it. A connection that breaks is tried once more at once: often
   * it was kept alive, and the backend has just closed it.
   */
  async post(callback: Relayed, kind: 'before' | 'after', signal: AbortSignal): Promise<BackendAnswer> {
    try {
      return await this.#post(callback, kind, signal).catch((error: Error & { code?: string }) => {
        if (signal.aborted || !brokenCodes.has(error.code ?? '')) throw error;
        return this.#post(callback, kind, signal);
      });
    } catch (error) {
      return { kind: 'failed', why: signal.aborted ? 'no answer in time' : messageOf(error) };
    }
  }

  async #post(callback: Relayed, kind: 'before' | 'after', signal: AbortSignal): Promise<BackendAnswer> {
    const { statusCode: status, body } = await this.#agents[kind].request({
      origin: this.#origin,
      // Not by way of a URL object, which writes some characters in another way.
      path: `${this.#path}?${callback.queryString}`,
      method: 'POST',
      headers: headersOf(callback),
      body: callback.body,
      signal,
    });
    if (kind === 'after') {
      // Only the status counts, so that an answer which is long or does not end leads to no second attempt.
      await body.dump({ limit: maxAnswerBytes, signal }).catch(() => undefined);
      return { kind: 'answered', status, text: '' };
    }
    const text = await readText(body);
    if (text === undefined) return { kind: 'failed', why: `an answer of more than ${maxAnswerBytes} bytes` };
    return { kind: 'answered', status, text };
  }

  async close(): Promise<void> {
    await Promise.all([this.#agents.before.destroy(), this.#agents.after.destroy()]);
  }
}

function headersOf({ remoteAddress, traceparent }: Relayed): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-forwarded-for': remoteAddress,
    [relayedHeader]: '1',
    ...(traceparent !== undefined && { traceparent }),
  };
}

/** The text of an answer, empty when it is not UTF-8, `undefined` when it is too long. */
async function readText(body: Dispatcher.ResponseData['body']): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    // Leaving the loop destroys the body, and with it the connection.
    if (bytes > maxAnswerBytes) return undefined;
  }
  const answer = Buffer.concat(chunks);
  return isUtf8(answer) ? answer.toString() : '';
}
