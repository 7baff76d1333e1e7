import { type App, appProblems, appSettings, appsOf } from '../lib/config/apps.ts';
import { readSettings, type Sources, type Values } from '../lib/config/read.ts';
import { choice, flag, integer, json, text } from '../lib/config/setting.ts';
import { logSettings } from '../lib/logger.ts';
import { managementPort, managementSettings } from '../lib/management-server.ts';
import { clusterProblems, clusterSettings } from '../schemas/settings.ts';

import { readAnswerChoices } from './tencent/answer-choices.ts';

const mebibyte = 1024 * 1024;

/** What ingest alone reads. */
export const ingestSettings = {
  host: text('INGEST_HOST', {
    help: 'Address on which callbacks are taken.',
    defaultText: '0.0.0.0; 127.0.0.1 while an app has no token',
  }),
  port: integer('INGEST_PORT', { help: 'Port on which callbacks are taken.', default: 8080, min: 0, max: 65_535 }),
  path: text('INGEST_PATH', {
    help: 'One more path on which callbacks are taken, beside / and /callback.',
    shape: { pattern: /^\/[A-Za-z0-9\-._~/]*$/, expected: 'a path of letters, digits, "-", ".", "_", "~" and "/"' },
  }),
  allowUnsigned: flag('INGEST_ALLOW_UNSIGNED', {
    help: 'Take callbacks of apps without a token from anywhere. Anyone who finds the address can then send verdicts.',
    default: false,
  }),
  maxBodyBytes: integer('INGEST_MAX_BODY_BYTES', {
    help: 'Largest body that is taken.',
    unit: 'bytes',
    default: mebibyte,
    min: 64,
    max: mebibyte,
  }),
  requestTimeoutMs: integer('INGEST_REQUEST_TIMEOUT_MS', {
    help: 'Time within which a request must have arrived whole.',
    unit: 'ms',
    default: 10_000,
    min: 100,
    max: 300_000,
  }),
  deadlineMs: integer('INGEST_DEADLINE_MS', {
    help: 'Time within which Kafka must have acknowledged an event; Tencent waits 2000 ms for the answer.',
    unit: 'ms',
    default: 1_200,
    min: 50,
    max: 10_000,
  }),
  beforeAnswers: json(
    'INGEST_BEFORE_ANSWERS',
    {
      help: 'What is answered to commands that ask before something happens, where it is not allow: JSON such as {"C2C.CallbackBeforeSendMsg":"forbid"}; forbid, discard (messages), or {"ErrorCode","ErrorInfo"} with a code of your own.',
    },
    readAnswerChoices,
  ),
  queueBytes: integer('INGEST_QUEUE_BYTES', {
    help: 'Most encoded events that wait for Kafka in memory; above it callbacks are refused with 503.',
    unit: 'bytes',
    default: 64 * mebibyte,
    min: mebibyte,
    max: 1024 * mebibyte,
  }),
  textMode: choice('IMWATCH_TEXT', ['full', 'hmac', 'none'], {
    help: 'What is kept of message texts, keywords, file addresses and custom data: all, a keyed digest, or nothing.',
    default: 'full',
  }),
  idSecret: text('IMWATCH_ID_SECRET', {
    help: 'Key of event ids and text digests; needed unless IMWATCH_TEXT=full. A change gives redeliveries new ids.',
    secret: true,
  }),
  cloudEvents: flag('IMWATCH_CLOUDEVENTS', {
    help: "Add CloudEvents 1.0 headers (binary mode) to ingest's records.",
    default: false,
  }),
  managementPort: managementPort('INGEST_MANAGEMENT_PORT', 9101),
};

type IngestValues = Values<typeof ingestSettings>;

const allSettings = {
  ...appSettings,
  ...ingestSettings,
  ...clusterSettings,
  ...managementSettings,
  ...logSettings,
};

export interface IngestConfig extends Values<typeof allSettings> {
  readonly host: string;
  readonly appList: readonly App[];
}

/** @throws {ConfigError} naming every wrong setting. */
export function readIngestConfig(sources: Sources): IngestConfig {
  const values = readSettings(allSettings, sources, (read) => [
    ...appProblems(read),
    ...clusterProblems(read),
    ...ingestProblems(read),
  ]);
  const appList = appsOf(values);
  return { ...values, appList, host: values.host ?? (mustStayLocal(values) ? '127.0.0.1' : '0.0.0.0') };
}

/** What is wrong with the settings by which texts are kept, a sentence each. */
export function textProblems({ textMode, idSecret }: Pick<IngestValues, 'textMode' | 'idSecret'>): string[] {
  if (textMode === 'full' || idSecret !== undefined) return [];
  return [`IMWATCH_ID_SECRET is not set, expected a secret because IMWATCH_TEXT=${textMode}`];
}

function ingestProblems(values: Values<typeof allSettings>): string[] {
  const problems = textProblems(values);
  if (values.host !== undefined && !isLoopback(values.host) && mustStayLocal(values)) {
    problems.push(
      `INGEST_HOST is "${values.host}" while an app has no token, expected 127.0.0.1, a token, or INGEST_ALLOW_UNSIGNED=true`,
    );
  }
  return problems;
}

function mustStayLocal(values: Values<typeof allSettings>): boolean {
  return !values.allowUnsigned && appsOf(values).some((app) => app.tokens.length === 0);
}

function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(host);
}
