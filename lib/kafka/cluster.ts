import { setTimeout as pause } from 'node:timers/promises';
import { type Connection, ConnectionPool, metadataV9, ResponseError } from '@platformatic/kafka';
import { KafkaRequestError } from './admin.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

type Metadata = ReturnType<typeof metadataV9.parseResponse>;

export interface ClusterOptions {
  readonly clientId: string;
  /** Brokers that are asked first, as host:port. */
  readonly brokers: readonly string[];
  /** TLS, SASL and time-outs of the connections. */
  readonly connection: NonNullable<ConstructorParameters<typeof ConnectionPool>[1]>;
}

/** How long one broker is given to answer what any of them can; then the next one is asked. */
const askMs = 3_000;
const retryPauseMs = 100;
/** How long closing waits for what is on its way to brokers. */
const closeMs = 1_000;

/** Who leads which partition, as far as is known, and the connections to them. */
export class Cluster {
  readonly #pool: ConnectionPool;
  readonly #seeds: readonly Address[];
  #lastToAnswer: Address | undefined;
  readonly #addresses = new Map<number, Address>();
  /** Node ids of the leaders, by topic and partition. */
  readonly #leaders = new Map<string, readonly number[]>();

  constructor({ clientId, brokers, connection }: ClusterOptions) {
    this.#pool = new ConnectionPool(clientId, connection);
    this.#seeds = brokers.map(addressOf);
    // A connection tells of its failure both its caller and by an event, which would end the process if nobody listened.
    this.#pool.on('connecting', (payload) => payload.connection.on('error', () => undefined));
  }

  /**
   * Asks brokers one after the other until one answers, the one that did last first: a broker that is frozen takes connections, and
   * never answers. One that is still starting ("the coordinator is loading") is asked again for 3 s.
   *
   * @throws what the last one failed with, when none answers.
   */
  async askAny<T>(request: (connection: Connection) => Promise<T>): Promise<T> {
    const untilMs = performance.now() + askMs;
    for (;;) {
      try {
        return await this.#askEach(request);
      } catch (error) {
        if (!mayPass(error) || performance.now() > untilMs) throw error;
        await pause(retryPauseMs);
      }
    }
  }

  async #askEach<T>(request: (connection: Connection) => Promise<T>): Promise<T> {
    let failure: unknown = new KafkaRequestError('Kafka: there is no broker to ask');
    for (const address of this.#addressesToAsk()) {
      try {
        const answer = await within(askMs, this.#pool.get({ ...address }).then(request));
        this.#lastToAnswer = address;
        return answer;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Learns who leads the partitions of `topics`. */
  async refresh(topics: readonly string[]): Promise<void> {
    const { brokers, topics: found } = await this.askAny((connection) => metadataOf(connection, topics));
    this.#addresses.clear();
    for (const { nodeId, host, port } of brokers) this.#addresses.set(nodeId, { host, port });
    for (const { name, partitions } of found) {
      const leaders: number[] = [];
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      this.#leaders.set(name, leaders);
    }
  }

  /** Where a broker is that an answer has told of. */
  learn({ nodeId, host, port }: Address & { readonly nodeId: number }): void {
    this.#addresses.set(nodeId, { host, port });
  }

  knows(topic: string): boolean {
    return this.#leaders.has(topic);
  }

  /** Number of partitions of a topic, as far as is known; 0 for one that is not there. */
  partitionsOf(topic: string): number {
    return this.#leaders.get(topic)?.length ?? 0;
  }

  /** Node id of the broker that leads a partition; negative when there is none now, `undefined` when it is not known. */
  leaderOf(topic: string, partition: number): number | undefined {
    return this.#leaders.get(topic)?.[partition];
  }

  /** @throws {KafkaRequestError} for a node that nobody has told of; else what the connection failed with. */
  async connectionTo(nodeId: number): Promise<Connection> {
    const address = this.#addresses.get(nodeId);
    if (address === undefined) throw new KafkaRequestError(`Kafka: no broker has the id ${nodeId}`);
    const open = this.#pool.getEstablishedConnection(address);
    return open?.isConnected() === true ? open : this.#pool.get(address);
  }

  /** Closes the connections; one to a broker that takes nothing any more is given up after a second. */
  async close(): Promise<void> {
    await within(closeMs, this.#pool.close()).catch((error: unknown) => {
      if (!(error instanceof NoAnswerError)) throw error;
    });
  }

  /** Each address once, the one that answered last first. */
  #addressesToAsk(): readonly Address[] {
    const known = [...this.#addresses.values(), ...this.#seeds];
    const ordered = this.#lastToAnswer === undefined ? known : [this.#lastToAnswer, ...known];
    return [...new Map(ordered.map((address) => [`${address.host}:${address.port}`, address])).values()];
  }
}

/** Whether a broker has answered that it cannot yet. */
function mayPass(error: unknown): boolean {
  return error instanceof ResponseError && error.findBy('canRetry', true) !== null;
}

class NoAnswerError extends KafkaRequestError {}

/** @throws {NoAnswerError} when `work` has not ended after `limitMs`; how it ends is of no interest then. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new NoAnswerError(`Kafka: no answer within ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A topic or partition in trouble makes an error of the answer, which holds all the others. */
async function metadataOf(connection: Connection, topics: readonly string[]): Promise<Metadata> {
  try {
    return await metadataV9.api.async(connection, [...topics], false);
  } catch (error) {
    if (error instanceof ResponseError && 'response' in error) return error['response'] as Metadata;
    throw error;
  }
}

/** @param text host:port, the host perhaps an IPv6 address in brackets. */
function addressOf(text: string): Address {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}
