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

/** Who leads which partition, as far as is known, and the connections to them. */
export class Cluster {
  readonly #pool: ConnectionPool;
  readonly #seeds: readonly Address[];
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
   * Resolves with a connection to some broker.
   *
   * @throws when none can be reached.
   */
  anyConnection(): Promise<Connection> {
    const known = [...this.#addresses.values(), ...this.#seeds];
    return this.#pool.getFirstAvailable(known.map((address) => ({ ...address })));
  }

  /** Learns who leads the partitions of `topics`. */
  async refresh(topics: readonly string[]): Promise<void> {
    const { brokers, topics: found } = await metadataOf(await this.anyConnection(), topics);
    this.#addresses.clear();
    for (const { nodeId, host, port } of brokers) this.#addresses.set(nodeId, { host, port });
    for (const { name, partitions } of found) {
      const leaders: number[] = [];
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      this.#leaders.set(name, leaders);
    }
  }

  knows(topic: string): boolean {
    return this.#leaders.has(topic);
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

  close(): Promise<void> {
    return this.#pool.close();
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
