import { type Connection, findCoordinatorV4 } from '@platformatic/kafka';
import { KafkaRequestError } from './admin.ts';
import type { Cluster } from './cluster.ts';

/** What a broker coordinates: consumer groups, or transactional producers. */
export type CoordinatorKind = 'group' | 'transaction';

const keyTypes: Readonly<Record<CoordinatorKind, number>> = { group: 0, transaction: 1 };

/** Which broker coordinates a group or a transactional id, as far as is known. For Kafka 3.0 and later. */
export class Coordinators {
  readonly #cluster: Cluster;
  readonly #nodes = new Map<string, number>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * A connection to the coordinator of `key`.
   *
   * @throws {KafkaRequestError} when there is none now; else what the connection or the request failed with.
   */
  async connectionTo(kind: CoordinatorKind, key: string): Promise<Connection> {
    const name = `${kind}/${key}`;
    const known = this.#nodes.get(name);
    if (known !== undefined) return this.#cluster.connectionTo(known);
    const { coordinators } = await this.#cluster.askAny((connection) =>
      findCoordinatorV4.api.async(connection, keyTypes[kind], [key]),
    );
    const [found] = coordinators;
    if (found === undefined) throw new KafkaRequestError(`Kafka: nobody coordinates the ${kind} ${key}`);
    this.#cluster.learn(found.nodeId, found);
    this.#nodes.set(name, found.nodeId);
    return this.#cluster.connectionTo(found.nodeId);
  }

  /** Has the coordinator of `key` asked for again: the one that was known is no more, or does not answer. */
  forget(kind: CoordinatorKind, key: string): void {
    this.#nodes.delete(`${kind}/${key}`);
  }
}
