import { expect, it } from 'vitest';
import { readIngestConfig } from '../../../ingest/config.ts';
import { shedMsOf } from '../../../ingest/drain.ts';
import { ConfigError } from '../../../lib/errors.ts';

function read(more: Readonly<Record<string, string>>) {
  const base = { IMWATCH_SDK_APP_ID: '7', IMWATCH_TOKEN: 't', KAFKA_BROKERS: 'h:1', SCHEMA_REGISTRY_URL: 'http://h' };
  return readIngestConfig({ env: { ...base, ...more }, file: {}, running: {} });
}

it.each([
  [10_000, 3_000],
  [300, 300],
  [0, 0],
])('after a drain of %i ms clients have %i ms to leave', (drainMs, shedMs) => {
  expect(shedMsOf({ drainMs })).toBe(shedMs);
});

it('ingest is one process that drains for 2 s unless it is told otherwise', () => {
  expect(read({})).toMatchObject({ workers: 1, drainMs: 2_000 });
  expect(read({ INGEST_WORKERS: '64', INGEST_DRAIN_MS: '0' })).toMatchObject({ workers: 64, drainMs: 0 });
});

it.each([
  ['INGEST_WORKERS', '0'],
  ['INGEST_WORKERS', '65'],
  ['INGEST_DRAIN_MS', '10001'],
])('%s=%s stops the start', (name, value) => {
  expect(() => read({ [name]: value })).toThrow(ConfigError);
  expect(() => read({ [name]: value })).toThrow(`${name} is "${value}", expected an integer from`);
});
