import type { TestProject } from 'vitest/node';
import { acquireBroker, brokerSettings } from '../../dev/broker.ts';
import { readSettings, textOf } from '../../lib/config/read.ts';
import { processSources } from '../../lib/config/sources.ts';
import { makeTestHome } from './test-home.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Settings by which clients reach the broker and registry of this run. */
    cluster: Record<string, string>;
  }
}

/** One broker and registry for the whole run: the given ones, else as `imwatch up` would choose them. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const sources = processSources();
  const given = textOf(sources, 'KAFKA_BROKERS');
  if (given !== undefined) {
    const registry = textOf(sources, 'SCHEMA_REGISTRY_URL');
    project.provide('cluster', { KAFKA_BROKERS: given.text, SCHEMA_REGISTRY_URL: registry?.text ?? '' });
    return () => Promise.resolve();
  }
  const { home, remove } = makeTestHome();
  const { broker: kind } = readSettings(brokerSettings, sources);
  const onProgress = (text: string): void => {
    if (/^\S+ .*(asking Maven|pulling)|^starting/.test(text)) process.stdout.write(`broker for the tests: ${text}\n`);
  };
  const { signal } = new AbortController();
  const lease = await acquireBroker({ home, kind, env: sources.env, onProgress, signal });
  process.stdout.write(`broker for the tests: ${lease.kind}, ${lease.brokers}\n`);
  project.provide('cluster', { KAFKA_BROKERS: lease.brokers, SCHEMA_REGISTRY_URL: lease.registryUrl });
  return async () => {
    await lease.release();
    remove();
  };
}
