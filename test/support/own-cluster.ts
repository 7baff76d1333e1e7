import { join } from 'node:path';
import type { JavaProcess } from '../../dev/embedded/java-process.ts';
import { startKafka } from '../../dev/embedded/kafka.ts';
import { startRegistry } from '../../dev/embedded/registry.ts';
import { registryUrl } from '../../dev/registry-address.ts';
import { type JavaTools, javaTools } from './embedded.ts';
import { unusedPort } from './pipeline.ts';
import { sendSignal } from './processes.ts';
import { makeTestHome } from './test-home.ts';

/** A program of the cluster that a test can freeze, kill and start again; what it has written is there again. */
export class OwnProgram {
  readonly #launch: (onChild: (pid: number) => void) => Promise<JavaProcess>;
  #running: JavaProcess | undefined;
  #pid: number | undefined;

  constructor(launch: (onChild: (pid: number) => void) => Promise<JavaProcess>) {
    this.#launch = launch;
  }

  /** Resolves when it takes requests. */
  async start(): Promise<void> {
    this.#running = await this.#launch((pid) => {
      this.#pid = pid;
    });
  }

  freeze(): void {
    sendSignal(this.#pid, 'SIGSTOP');
  }

  thaw(): void {
    sendSignal(this.#pid, 'SIGCONT');
  }

  /** Ends it as a machine that fails would; resolves when it has ended. */
  async kill(): Promise<void> {
    sendSignal(this.#pid, 'SIGKILL');
    await this.#running?.stop();
  }

  /** Brings it back from whatever a test that failed has left. */
  async recover(): Promise<void> {
    if (this.#running?.hasEnded === false) this.thaw();
    else await this.start();
  }

  async stop(): Promise<void> {
    if (this.#running?.hasEnded === false) this.thaw();
    await this.#running?.stop();
  }
}

/** Brokers and a registry of a test's own, as Java processes. */
export interface OwnCluster {
  readonly brokers: readonly OwnProgram[];
  readonly registry: OwnProgram;
  /** Where they keep what they write, their logs included, until the end. */
  readonly folder: string;
  /** Settings by which clients reach it. */
  readonly settings: Readonly<Record<'KAFKA_BROKERS' | 'SCHEMA_REGISTRY_URL', string>>;
  stop(): Promise<void>;
}

/**
 * Starts as many brokers as wanted; several are a quorum that stands as long as most of them do.
 *
 * @param more settings of each broker that replace or join its own.
 */
export async function startOwnCluster(
  brokerCount = 1,
  more: Readonly<Record<string, string>> = {},
): Promise<OwnCluster> {
  const tools = await javaTools();
  const { home, remove } = makeTestHome();
  const indexes = Array.from({ length: brokerCount }, (_, index) => index);
  const ports = await Promise.all(indexes.map(unusedPort));
  const controllerPorts = await Promise.all(indexes.map(unusedPort));
  const registryPort = await unusedPort();
  const voters = controllerPorts.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
  const brokers = indexes.map((index) => {
    const folder = join(home, `kafka-${index + 1}`);
    const [port = 0, controllerPort = 0] = [ports[index], controllerPorts[index]];
    const properties = { ...(brokerCount > 1 && memberProperties(index + 1, voters, brokerCount)), ...more };
    return new OwnProgram((onChild) =>
      startKafka({ ...kafkaOf(tools), folder, port, controllerPort, properties, onChild }),
    );
  });
  const registry = new OwnProgram((onChild) =>
    startRegistry({
      java: tools.java,
      jars: tools.registryJars,
      folder: join(home, 'registry'),
      port: registryPort,
      onChild,
    }),
  );
  const programs = [...brokers, registry];
  await Promise.all(programs.map((program) => program.start()));
  return {
    brokers,
    registry,
    folder: home,
    settings: {
      KAFKA_BROKERS: ports.map((port) => `127.0.0.1:${port}`).join(','),
      SCHEMA_REGISTRY_URL: registryUrl(registryPort),
    },
    stop: async () => {
      await Promise.all(programs.map((program) => program.stop()));
      remove();
    },
  };
}

/** Enough for a test, so that several fit beside each other. */
function kafkaOf({ java, kafkaJars }: JavaTools) {
  return { java, jars: kafkaJars, heapMib: 256 };
}

function memberProperties(id: number, voters: string, count: number): Record<string, string> {
  return {
    'node.id': String(id),
    'controller.quorum.voters': voters,
    'offsets.topic.replication.factor': String(count),
    'transaction.state.log.replication.factor': String(count),
    'transaction.state.log.min.isr': '2',
  };
}
