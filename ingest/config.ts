import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type App, appProblems, appSettings, appsOf } from '../lib/config/apps.ts';
import { homeFolder, homeSettings } from '../lib/config/home.ts';
import { readSettings, type Sources, type Values } from '../lib/config/read.ts';
import { addressList, choice, flag, httpUrl, integer, json, readableFile, text } from '../lib/config/setting.ts';
import { messageOf } from '../lib/errors.ts';
import { logSettings } from '../lib/logger.ts';
import { managementPort, managementSettings } from '../lib/management-server.ts';
import { clusterProblems, clusterSettings } from '../schemas/settings.ts';
import { certificatesIn, checkTls, readTlsTextsSync, type TlsFiles } from './listen/certificate.ts';
import { readAnswerChoices } from './tencent/answer-choices.ts';

const mebibyte = 1024 * 1024;
const mostWorkers = 64;
/** With the time that a stop itself may take, this stays below the 30 s that container platforms give. */
const longestDrainMs = 10_000;

/** What ingest alone reads. */
export const ingestSettings = {
  host: text('INGEST_HOST', {
    help: 'Address on which callbacks are taken.',
    defaultText: '0.0.0.0; 127.0.0.1 while an app has no token',
  }),
  port: integer('INGEST_PORT', { help: 'Port on which callbacks are taken.', default: 8080, min: 0, max: 65_535 }),
  workers: integer('INGEST_WORKERS', {
    help: 'Processes that take callbacks on the port, one CPU core each at most. Limits on connections, memory and disk are those of each.',
    default: 1,
    min: 1,
    max: mostWorkers,
  }),
  drainMs: integer('INGEST_DRAIN_MS', {
    help: 'How long ingest serves on after SIGTERM, with /ready at 503, so that load balancers notice; then it takes no new connections, and asks clients for as long, 3 s at most, to close theirs. 0: it stops at once, as with `imwatch up`.',
    unit: 'ms',
    default: 2_000,
    min: 0,
    max: longestDrainMs,
  }),
  path: text('INGEST_PATH', {
    help: 'One more path on which callbacks are taken, beside / and /callback.',
    shape: { pattern: /^\/[A-Za-z0-9\-._~/]*$/, expected: 'a path of letters, digits, "-", ".", "_", "~" and "/"' },
  }),
  allowUnsigned: flag('INGEST_ALLOW_UNSIGNED', {
    help: 'Take callbacks of apps without a token from anywhere. Anyone who finds the address can then send verdicts.',
    default: false,
  }),
  allowedSources: addressList('INGEST_ALLOWED_SOURCES', {
    help: 'Where callbacks may come from, as Sign does not cover the body: IP addresses and ranges (CIDR). `imwatch doctor --fetch-ips` asks Tencent for them. Not set: anywhere.',
  }),
  trustedProxies: addressList('INGEST_TRUSTED_PROXIES', {
    help: 'Proxies in front of ingest, as IP addresses and ranges (CIDR): X-Forwarded-For is believed when it comes from one of them. Not set: never.',
  }),
  tlsCert: readableFile('INGEST_TLS_CERT', {
    help: 'File with the certificate (PEM) of ingest and those between it and its authority; makes ingest speak HTTPS. It is read again when it changes.',
  }),
  tlsKey: readableFile('INGEST_TLS_KEY', {
    help: 'File with the key (PEM, without a passphrase) of that certificate.',
  }),
  tlsClientCa: readableFile('INGEST_TLS_CLIENT_CA', {
    help: 'File with certificates (PEM) of authorities: only clients with a certificate of one of them are taken (mutual TLS).',
  }),
  maxConnections: integer('INGEST_MAX_CONNECTIONS', {
    help: 'Most connections at a time; above it new ones are closed at once.',
    default: 2_000,
    min: 1,
    max: 1_000_000,
  }),
  keepAliveMs: integer('INGEST_KEEP_ALIVE_MS', {
    help: 'How long a connection stays open without a request. Longer than what a proxy in front keeps its own, so that it is the proxy that ends them.',
    unit: 'ms',
    default: 75_000,
    min: 1_000,
    max: 3_600_000,
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
    help: 'Time within which Kafka must have acknowledged an event, which else goes to the spool; the disk is given 600 ms, and Tencent waits 2000 ms for the answer.',
    unit: 'ms',
    default: 1_200,
    min: 50,
    max: 1_400,
  }),
  beforeAnswers: json(
    'INGEST_BEFORE_ANSWERS',
    {
      help: 'What is answered to commands that ask before something happens, where it is not allow: JSON such as {"C2C.CallbackBeforeSendMsg":"forbid"}; forbid, discard (messages), or {"ErrorCode","ErrorInfo"} with a code of your own.',
    },
    readAnswerChoices,
  ),
  forwardUrl: httpUrl('INGEST_FORWARD_URL', {
    help: 'Backend that every authentic callback is relayed to once its event is durable, as it came; its answer counts for callbacks that ask before something happens. Not set: nothing is relayed.',
    asItIs: true,
  }),
  forwardCa: readableFile('INGEST_FORWARD_CA', {
    help: "File with authorities (PEM) for that backend's certificate, in place of the public ones.",
  }),
  forwardDeadlineMs: integer('INGEST_FORWARD_DEADLINE_MS', {
    help: 'Time since its arrival within which the backend must have answered a callback that asks before something happens; Tencent waits 2000 ms.',
    unit: 'ms',
    default: 1_700,
    min: 100,
    max: 1_900,
  }),
  forwardQueueBytes: integer('INGEST_FORWARD_QUEUE_BYTES', {
    help: 'Most callbacks that wait for the backend in memory, each counted with 1 KiB beside its bytes; beyond it callbacks are not relayed, and counted.',
    unit: 'bytes',
    default: 16 * mebibyte,
    min: mebibyte,
    max: 1024 * mebibyte,
  }),
  forwardConnections: integer('INGEST_FORWARD_CONNECTIONS', {
    help: 'Most requests to the backend at a time, for callbacks before and after something happens each.',
    default: 64,
    min: 1,
    max: 10_000,
  }),
  forwardRetryMs: integer('INGEST_FORWARD_RETRY_MS', {
    help: 'How long after its arrival relaying a callback is tried again; 0: once only. A backend that checks Sign itself refuses what is older than 60 s.',
    unit: 'ms',
    default: 45_000,
    min: 0,
    max: 600_000,
  }),
  spoolDir: text('INGEST_SPOOL_DIR', {
    help: 'Folder for events that Kafka does not take in time; on a disk that outlives the process.',
    defaultText: 'spool in IMWATCH_HOME',
  }),
  spoolBytes: integer('INGEST_SPOOL_BYTES', {
    help: 'Most that is kept there; above it callbacks are refused with 503.',
    unit: 'bytes',
    default: 1024 * mebibyte,
    min: 16 * mebibyte,
    max: 1024 * 1024 * mebibyte,
  }),
  spoolMaxAgeMs: integer('INGEST_SPOOL_MAX_AGE_MS', {
    help: 'Callbacks are refused with 503 while the oldest event there waits longer than this: somebody has to look. Nothing is removed.',
    unit: 'ms',
    default: 24 * 60 * 60 * 1000,
    min: 60_000,
    max: 30 * 24 * 60 * 60 * 1000,
  }),
  queueBytes: integer('INGEST_QUEUE_BYTES', {
    help: 'Most encoded events that wait for Kafka in memory; above it events go to the spool.',
    unit: 'bytes',
    default: 64 * mebibyte,
    min: mebibyte,
    max: 1024 * mebibyte,
  }),
  producer: choice('KAFKA_PRODUCER', ['platformatic', 'kafkajs'], {
    help: 'Client that ingest writes to Kafka with. platformatic costs less and writes fewer repeats, needs Kafka 2.7 or later, and below 3.0 the right IdempotentWrite.',
    default: 'platformatic',
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
  ...homeSettings,
  ...appSettings,
  ...ingestSettings,
  ...clusterSettings,
  ...managementSettings,
  ...logSettings,
};

export interface IngestConfig extends Values<typeof allSettings> {
  readonly host: string;
  /** Absolute path of the spool. */
  readonly spoolFolder: string;
  readonly appList: readonly App[];
  readonly tlsFiles: TlsFiles | undefined;
}

/** @throws {ConfigError} naming every wrong setting. */
export function readIngestConfig(sources: Sources): IngestConfig {
  const values = readSettings(allSettings, sources, (read) => [
    ...appProblems(read),
    ...clusterProblems(read),
    ...ingestProblems(read),
  ]);
  const appList = appsOf(values);
  const tlsFiles = tlsFilesOf(values);
  const spoolRoot = values.spoolDir === undefined ? join(homeFolder(values), 'spool') : resolve(values.spoolDir);
  // Topics of another prefix have a spool of their own, which is not theirs to drain.
  const spoolFolder = join(spoolRoot, values.topicPrefix);
  return {
    ...values,
    appList,
    tlsFiles,
    spoolFolder,
    host: values.host ?? (mustStayLocal(values) ? '127.0.0.1' : '0.0.0.0'),
  };
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
  return [...problems, ...tlsProblems(values), ...forwardProblems(values)];
}

function mustStayLocal(values: Values<typeof allSettings>): boolean {
  return !values.allowUnsigned && appsOf(values).some((app) => app.tokens.length === 0);
}

function tlsFilesOf({ tlsCert, tlsKey, tlsClientCa }: Values<typeof allSettings>): TlsFiles | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { certPath: tlsCert, keyPath: tlsKey, clientCaPath: tlsClientCa };
}

function tlsProblems(values: Values<typeof allSettings>): string[] {
  if ((values.tlsCert === undefined) !== (values.tlsKey === undefined)) {
    return ['INGEST_TLS_CERT and INGEST_TLS_KEY go together, expected both or neither'];
  }
  const files = tlsFilesOf(values);
  if (files === undefined) {
    if (values.tlsClientCa === undefined) return [];
    return ['INGEST_TLS_CLIENT_CA is set alone, expected INGEST_TLS_CERT and INGEST_TLS_KEY beside it'];
  }
  try {
    checkTls(readTlsTextsSync(files));
    return [];
  } catch (error) {
    return [`INGEST_TLS_CERT, INGEST_TLS_KEY and INGEST_TLS_CLIENT_CA cannot be used: ${messageOf(error)}`];
  }
}

function forwardProblems({ forwardCa }: Pick<IngestValues, 'forwardCa'>): string[] {
  if (forwardCa === undefined) return [];
  try {
    certificatesIn(readFileSync(forwardCa, 'utf8'), 'it');
    return [];
  } catch (error) {
    return [`INGEST_FORWARD_CA cannot be used: ${messageOf(error)}`];
  }
}

function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(host);
}
