import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EdgeMetrics } from '../edge-metrics.ts';
import { checkTls, readTlsTexts, type TlsFiles, type TlsTexts, type UsableTls } from './certificate.ts';

/** How often the files are read; their content counts, so any way of replacing them will do. */
const pollMs = 5_000;

export interface CertificateWatchOptions {
  readonly files: TlsFiles;
  /** What is in use when the watch begins. */
  readonly texts: TlsTexts;
  readonly onChange: (usable: UsableTls) => void;
  readonly metrics: EdgeMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Hands over new certificates as they come into the files. What cannot be used changes nothing; it is logged and counted once, when it
 * still stands there at the second look, so that a renewal that writes one file after the other is no error. The returned function ends
 * the watch.
 */
export function watchCertificates(options: CertificateWatchOptions): () => void {
  const { files, onChange, metrics, clock, logger } = options;
  let known = JSON.stringify(options.texts);
  let doubtful: string | undefined;
  let ended = false;
  let cancel = clock.after(pollMs, look);

  function look(): void {
    void compare().then(() => {
      if (!ended) cancel = clock.after(pollMs, look);
    });
  }

  async function compare(): Promise<void> {
    const found = await readTlsTexts(files).catch((error: unknown) => ({ trouble: messageOf(error) }));
    const seen = JSON.stringify(found);
    if (ended || seen === known) {
      doubtful = undefined;
      return;
    }
    try {
      if ('trouble' in found) throw new Error(found.trouble);
      const usable = checkTls(found);
      onChange(usable);
      metrics.tlsReloaded('taken');
      logger.info({ endsAt: endsAt(usable) }, 'took new TLS certificates');
    } catch (error) {
      if (seen !== doubtful) {
        doubtful = seen;
        return;
      }
      metrics.tlsReloaded('refused');
      logger.error(`the new TLS files cannot be used, the old ones serve on: ${messageOf(error)}`);
    }
    known = seen;
    doubtful = undefined;
  }

  return () => {
    ended = true;
    cancel();
  };
}

function endsAt({ endsAtMs }: UsableTls): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from(endsAtMs, ([role, atMs]) => [role, new Date(atMs).toISOString()]));
}
