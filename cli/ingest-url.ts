import { ingestSettings } from '../ingest/config.ts';
import { readSettings, type Sources } from '../lib/config/read.ts';

/** Where ingest takes callbacks on this machine, as its settings say. */
export function localIngestUrl(sources: Sources): string {
  const { port, tlsCert } = readSettings(ingestSettings, sources);
  return `${tlsCert === undefined ? 'http' : 'https'}://127.0.0.1:${port}/`;
}
