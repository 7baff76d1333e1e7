import { expect, it } from 'vitest';
import { serviceEnvironment } from '../../../cli/local/service-processes.ts';

it('services of this machine stop at once, without a drain, unless the settings say otherwise', () => {
  const sources = { env: { INGEST_PORT: '1' }, file: {}, running: { KAFKA_BROKERS: 'h:1' } };
  expect(serviceEnvironment(sources, true)).toEqual({
    INGEST_PORT: '1',
    KAFKA_BROKERS: 'h:1',
    IMWATCH_LOG_FORMAT: 'json',
    INGEST_DRAIN_MS: '0',
  });
  expect(serviceEnvironment({ ...sources, env: { INGEST_DRAIN_MS: '500' } }, true)['INGEST_DRAIN_MS']).toBe('500');
  // They read the file themselves.
  expect(serviceEnvironment({ ...sources, file: { INGEST_DRAIN_MS: '500' } }, true)).not.toHaveProperty(
    'INGEST_DRAIN_MS',
  );
});
