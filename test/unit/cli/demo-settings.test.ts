import { expect, it } from 'vitest';
import { demoSources } from '../../../cli/demo/settings.ts';
import { readIngestConfig } from '../../../ingest/config.ts';

it('the demo relays nothing to the backend that the settings name, and takes no app, host or source from them', async () => {
  const cluster = { KAFKA_BROKERS: 'h:1', SCHEMA_REGISTRY_URL: 'http://h' };
  const yours = {
    IMWATCH_SDK_APP_ID: '7',
    IMWATCH_TOKEN: 'yours',
    INGEST_HOST: '0.0.0.0',
    INGEST_FORWARD_URL: 'https://backend.internal/im',
    INGEST_ALLOWED_SOURCES: '203.0.113.0/24',
  };
  const config = readIngestConfig(await demoSources({ env: cluster, file: yours, running: {} }));
  expect(config.forwardUrl).toBeUndefined();
  expect(config.allowedSources).toBeUndefined();
  expect(config.host).toBe('127.0.0.1');
  expect(config.appList).toMatchObject([{ tokens: ['demo-token'] }]);
});
