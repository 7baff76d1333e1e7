import { request } from 'undici';
import type { Readiness } from '../lib/management-server.ts';

/** The sum of each metric over its labels, and each labelled sample by its full name, as `/metrics` of a service says. */
export type Samples = ReadonlyMap<string, number>;

const timeoutMs = 2_000;

/** Reads a service's metrics; `undefined` while it does not answer. */
export async function readMetrics(managementUrl: string): Promise<Samples | undefined> {
  try {
    const { body } = await request(`${managementUrl}/metrics`, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
    return parseMetrics(await body.text());
  } catch {
    return undefined;
  }
}

/** What a service says of itself; `undefined` while it does not answer. */
export async function readReadiness(managementUrl: string): Promise<Readiness | undefined> {
  try {
    const { body } = await request(`${managementUrl}/ready`, { headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
    return (await body.json()) as Readiness;
  } catch {
    return undefined;
  }
}

/** Parses Prometheus text: `name{labels} value`, a sample a line. */
export function parseMetrics(text: string): Samples {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const found = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/.exec(line);
    if (found === null) continue;
    const [, name = '', labels = '', value] = found;
    samples.set(name, (samples.get(name) ?? 0) + Number(value));
    if (labels !== '') samples.set(name + labels, Number(value));
  }
  return samples;
}
