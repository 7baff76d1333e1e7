import { type Connection, FindCoordinatorKeyTypes, findCoordinatorV3 } from '@platformatic/kafka';
import { KafkaRequestError } from './admin.ts';
import type { Cluster } from './cluster.ts';

/** What a broker coordinates: a consumer group, or what has a transactional id. */
export type CoordinatorKind = 'group' | 'transaction';

const keyTypes = { group: FindCoordinatorKeyTypes.GROUP, transaction: FindCoordinatorKeyTypes.TRANSACTION } as const;

/** Which broker coordinates which group or transactional id, as far as is known, and the connections to them. For Kafka 2.4 and later. */
export class Coordinators {
  readonly #cluster: Cluster;
  /** Node ids, by kind and key; several who ask for the same one wait for one answer. */
  readonly #nodes = new Map<string, Promise<number>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * The connection to the coordinator; who finds there that it no longer is that, or gets no answer, forgets it and asks again.
   *
   * @throws what the brokers failed with when none tells of it within 3 s, or the connection to it; it is forgotten then.
   */
  async connectionTo(kind: CoordinatorKind, key: string): Promise<Connection> {
    const name = nameOf(kind, key);
    const asked = this.#nodes.get(name) ?? this.#find(kind, key);
    this.#nodes.set(name, asked);
    try {
      return await this.#cluster.connectionTo(await asked);
    } catch (error) {
      // Somebody may have forgotten it and asked again in the meantime.
      if (this.#nodes.get(name) === asked) this.#nodes.delete(name);
      throw error;
    }
  }

  /** The next one who wants the coordinator asks the brokers again. */
  forget(kind: CoordinatorKind, key: string): void {
    this.#nodes.delete(nameOf(kind, key));
  }

  async #find(kind: CoordinatorKind, key: string): Promise<number> {
    const { coordinators } = await this.#cluster.askAny((connection) =>
      findCoordinatorV3.api.async(connection, keyTypes[kind], [key]),
    );
    const [coordinator] = coordinators;
    if (coordinator === undefined) throw new KafkaRequestError(`Kafka: no coordinator for the ${kind} ${key}`);
    this.#cluster.learn(coordinator);
    return coordinator.nodeId;
  }
}

function nameOf(kind: CoordinatorKind, key: string): string {
  return `${kind} ${key}`;
}
