import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Kafka, logLevel, type SASLOptions } from 'kafkajs';
import type { Logger } from '../logger.ts';
import type { ClusterOptions } from './cluster.ts';
import { stopIdleTimerSpin } from './request-queue-fix.ts';
import type { KafkaValues } from './settings.ts';

/**
 * kafkajs's own retries, given in full: kafkajs picks other defaults when NODE_ENV is `test`, and its 300 ms first pause is
 * longer than a coordinator needs.
 */
const retry = { initialRetryTime: 100, maxRetryTime: 5_000, factor: 0.2, multiplier: 2, retries: 5 };

const connectTimeoutMs = 5_000;
const requestTimeoutMs = 10_000;

/** The Kafka client of one service; TLS and SASL come from the settings for whatever is made of it. */
export function createKafka(values: KafkaValues, clientId: string, logger: Logger): Kafka {
  stopIdleTimerSpin();
  const ssl = sslOf(values);
  const sasl = saslOf(values);
  return new Kafka({
    clientId,
    brokers: [...(values.brokers ?? [])],
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry,
    logLevel: logLevel.DEBUG,
    logCreator: () => logTo(logger.child({ component: 'kafkajs' })),
    ...(ssl === undefined ? {} : { ssl }),
    ...(sasl === undefined ? {} : { sasl }),
  });
}

/** The same for what sends with @platformatic/kafka. */
export function clusterOptions(values: KafkaValues, clientId: string): ClusterOptions {
  const tls = sslOf(values);
  const { saslMechanism, saslUsername: username, saslPassword: password } = values;
  const login = saslMechanism !== undefined && username !== undefined && password !== undefined;
  return {
    clientId,
    brokers: values.brokers ?? [],
    connection: {
      connectTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...(tls !== undefined && { tls }),
      ...(login && { sasl: { mechanism: platformaticMechanisms[saslMechanism], username, password } }),
    },
  };
}

const platformaticMechanisms = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

function sslOf(values: KafkaValues): ConnectionOptions | undefined {
  const { sslCa, sslCert, sslKey } = values;
  const wanted = values.ssl ?? (sslCa !== undefined || sslCert !== undefined);
  if (!wanted) return undefined;
  return {
    ...(sslCa !== undefined && { ca: readFileSync(sslCa, 'utf8') }),
    ...(sslCert !== undefined && { cert: readFileSync(sslCert, 'utf8') }),
    ...(sslKey !== undefined && { key: readFileSync(sslKey, 'utf8') }),
  };
}

function saslOf(values: KafkaValues): SASLOptions | undefined {
  const { saslMechanism: mechanism, saslUsername: username, saslPassword: password } = values;
  if (mechanism === undefined || username === undefined || password === undefined) return undefined;
  return { mechanism, username, password };
}

type LogEntry = { level: logLevel; namespace: string; log: { message: string; [extra: string]: unknown } };

/**
 * kafkajs logs each failed attempt as an error although it goes on to retry: its errors and warnings become our warnings,
 * its information our debug lines, and what finally fails is logged by whoever gets the exception.
 */
function logTo(logger: Logger): (entry: LogEntry) => void {
  return ({ level, namespace, log: { message, broker, error, retryCount } }) => {
    const details = { namespace, broker, error, retryCount };
    // A coordinator that is on its way is what every first use of a cluster meets, and members come and go; kafkajs asks again.
    if (/coordinator is (not available|loading)|group is rebalancing/.test(`${message} ${error}`))
      logger.debug(details, message);
    else if (level === logLevel.ERROR || level === logLevel.WARN) logger.warn(details, message);
    else if (level === logLevel.INFO) logger.debug(details, message);
    else logger.trace(details, message);
  };
}
