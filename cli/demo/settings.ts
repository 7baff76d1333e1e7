import { randomBytes } from 'node:crypto';
import { freePort } from '../../dev/ports.ts';
import type { Sources } from '../../lib/config/read.ts';
import { documentedSdkAppId } from '../default-app.ts';

/** The app that the demo plays; its token shows that requests are signed. */
export const demoApp = { sdkAppId: Number(documentedSdkAppId), tokens: ['demo-token'] } as const;

/** The rules of the demo: those of every day, with a window that fits into a minute. */
export const demoRules = {
  ALERTING_WINDOW_MS: '10000',
  ALERTING_MIN_VERDICTS: '60',
  ALERTING_MIN_SENDERS: '10',
  ANALYTICS_EMIT_MS: '1000',
  PENALTIES_MUTE_AT_STRIKES: '5',
};

const portSettings = [
  'INGEST_PORT',
  'INGEST_MANAGEMENT_PORT',
  'ANALYTICS_MANAGEMENT_PORT',
  'PENALTIES_MANAGEMENT_PORT',
  'ALERTING_MANAGEMENT_PORT',
];

/** `sources` for a demo that touches nothing else: an app, topics and ports of its own. */
export async function demoSources(sources: Sources): Promise<Sources> {
  // Chosen before, so that a service that is started again has the address it had.
  const ports: Record<string, string> = {};
  for (const name of portSettings) ports[name] = String(await freePort(undefined));
  return {
    ...sources,
    env: {
      // The services read no file, which may name another app.
      ...sources.file,
      ...sources.env,
      IMWATCH_ENV_FILE: '',
      ...demoRules,
      IMWATCH_APPS: '',
      IMWATCH_SDK_APP_ID: String(demoApp.sdkAppId),
      IMWATCH_TOKEN: demoApp.tokens[0],
      IMWATCH_SECRET_KEY: '',
      IMWATCH_ADMIN_ACCOUNT: '',
      IMWATCH_TEXT: 'full',
      IMWATCH_TOPIC_PREFIX: `demo-${randomBytes(4).toString('hex')}`,
      IMWATCH_CREATE_TOPICS: 'true',
      IMWATCH_LOG_LEVEL: 'info',
      INGEST_HOST: '127.0.0.1',
      INGEST_ALLOWED_SOURCES: '',
      INGEST_TLS_CERT: '',
      INGEST_TLS_KEY: '',
      INGEST_TLS_CLIENT_CA: '',
      // What the demo makes up must not reach anybody's backend.
      INGEST_FORWARD_URL: '',
      INGEST_FORWARD_CA: '',
      ...ports,
    },
    file: {},
  };
}
