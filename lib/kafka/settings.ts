import { choice, flag, list, readableFile, text } from '../config/setting.ts';

export const kafkaSettings = {
  brokers: list('KAFKA_BROKERS', {
    help: 'Kafka brokers as host:port, separated by commas. Not set: the broker that `imwatch up` runs on this machine.',
    item: /^[^\s:,]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i,
    expected: 'host:port, separated by commas',
  }),
  ssl: flag('KAFKA_SSL', {
    help: 'Talk TLS to the brokers.',
    defaultText: 'true when a KAFKA_SSL_ file is named, else false',
  }),
  sslCa: readableFile('KAFKA_SSL_CA', { help: 'File with the certificates (PEM) that the brokers are trusted by.' }),
  sslCert: readableFile('KAFKA_SSL_CERT', { help: 'File with our own certificate (PEM), for mutual TLS.' }),
  sslKey: readableFile('KAFKA_SSL_KEY', { help: 'File with the key (PEM) of our own certificate.' }),
  saslMechanism: choice('KAFKA_SASL_MECHANISM', ['plain', 'scram-sha-256', 'scram-sha-512'], {
    help: 'How we log in to the brokers.',
    defaultText: 'no login',
  }),
  saslUsername: text('KAFKA_SASL_USERNAME', { help: 'User name for that.' }),
  saslPassword: text('KAFKA_SASL_PASSWORD', { help: 'Password for that.', secret: true }),
};

export interface KafkaValues {
  readonly brokers: readonly string[] | undefined;
  readonly ssl: boolean | undefined;
  readonly sslCa: string | undefined;
  readonly sslCert: string | undefined;
  readonly sslKey: string | undefined;
  readonly saslMechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512' | undefined;
  readonly saslUsername: string | undefined;
  readonly saslPassword: string | undefined;
}

/** What is wrong with the Kafka settings taken together, a sentence each. */
export function kafkaProblems(values: KafkaValues): string[] {
  const problems: string[] = [];
  if (values.brokers === undefined) {
    problems.push(
      'KAFKA_BROKERS is not set and no broker of `imwatch up` runs here, expected host:port (or start `npx imwatch up` first)',
    );
  }
  if ((values.sslCert === undefined) !== (values.sslKey === undefined)) {
    problems.push('KAFKA_SSL_CERT and KAFKA_SSL_KEY go together, expected both or neither');
  }
  if (values.saslMechanism === undefined) {
    if (values.saslUsername !== undefined || values.saslPassword !== undefined) {
      problems.push(
        'KAFKA_SASL_MECHANISM is not set, expected plain, scram-sha-256 or scram-sha-512 beside a user name',
      );
    }
  } else if (values.saslUsername === undefined || values.saslPassword === undefined) {
    problems.push('KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are expected beside KAFKA_SASL_MECHANISM');
  }
  return problems;
}
