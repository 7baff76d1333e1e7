import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../folders.ts';
import { JavaProcess, type JavaStart } from './java-process.ts';

export interface EmbeddedKafkaOptions extends JavaStart {
  readonly jars: string;
  /** Folder for data, configuration and log. */
  readonly folder: string;
  readonly port: number;
  readonly controllerPort: number;
  /** Settings that replace or join the broker's own, for example of another listener protocol. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Arguments for formatting the storage, for example credentials. */
  readonly formatArgs?: readonly string[];
  /** Most memory for its heap; 512 MiB unless given. */
  readonly heapMib?: number;
}

/**
 * One broker that is its own controller (KRaft); the data of its folder are used again at the next start. The folder stands in
 * the command line of each process, which tells whose it is.
 *
 * @throws {UserError} when it does not start, see {@link JavaProcess.started}.
 */
export async function startKafka(options: EmbeddedKafkaOptions): Promise<JavaProcess> {
  const { jars, folder, heapMib = 512 } = options;
  const data = join(folder, 'data');
  const properties = join(folder, 'server.properties');
  const logFile = join(folder, 'kafka.log');
  makeFolder(folder);
  writeFileSync(properties, propertiesText({ ...brokerProperties(options, data), ...options.properties }));
  // Java itself expands the star.
  const classPath = join(jars, '*');
  if (!existsSync(join(data, 'meta.properties'))) {
    const format = ['format', '--cluster-id', clusterId, '--config', properties, ...(options.formatArgs ?? [])];
    const formatting = new JavaProcess(options, {
      name: 'Formatting the storage of Apache Kafka',
      args: ['-cp', classPath, 'kafka.tools.StorageTool', ...format],
      logFile,
    });
    await formatting.succeeded();
  }
  const kafka = new JavaProcess(options, {
    name: 'Apache Kafka',
    args: [
      '-Xms256m',
      `-Xmx${heapMib}m`,
      '-XX:+UseSerialGC',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
      '-cp',
      classPath,
      'kafka.Kafka',
      properties,
    ],
    logFile,
  });
  return kafka.started(kafka.untilLine(/Kafka Server started/));
}

/** The folder tells clusters apart, so the id may be the same everywhere. */
const clusterId = '5L6g3nShT-eMCtK--X86sw';

function brokerProperties(options: EmbeddedKafkaOptions, data: string): Record<string, string> {
  const { port, controllerPort } = options;
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    // The static form: a voter's address may change from start to start.
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL',
    'log.dirs': data,
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.dedupe.buffer.size': '2097152',
    'auto.create.topics.enable': 'false',
    // After a kill the controller waits this long before it takes the broker again.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '1000',
  };
}

function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll('\\', '\\\\')}\n`)
    .join('');
}
