import type { Destination } from '../../schemas/destinations.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { releasedSchema } from '../../schemas/released.ts';
import { subjectOf, topicName, topics } from '../../schemas/topics.ts';
import type { IngestTopicId } from '../tencent/request.ts';
import { fingerprints } from './prepared.ts';

/** Schema ids of what was spooled, perhaps by an earlier version of imwatch with earlier schemas. */
export class SpooledSchemaIds {
  readonly #registry: SchemaRegistry;
  readonly #prefix: string;
  readonly #destinations: () => ReadonlyMap<IngestTopicId, Destination> | undefined;
  readonly #known = new Map<string, number>();

  constructor(
    registry: SchemaRegistry,
    prefix: string,
    destinations: () => ReadonlyMap<IngestTopicId, Destination> | undefined,
  ) {
    this.#registry = registry;
    this.#prefix = prefix;
    this.#destinations = destinations;
  }

  /**
   * The id of the schema with this fingerprint, registered where it is not yet; `undefined` when it was never released.
   *
   * @throws {RegistryUnavailableError | SchemaRefusedError}
   */
  async idOf(topic: IngestTopicId, fingerprint: Buffer): Promise<number | undefined> {
    if (fingerprints.get(topic)?.equals(fingerprint) === true) return this.#destinations()?.get(topic)?.schemaId;
    const name = `${topic}/${fingerprint.toString('hex')}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const { record, compatibility } = topics[topic];
    const schema = releasedSchema(record, fingerprint);
    if (schema === undefined) return undefined;
    const id = await this.#registry.register(subjectOf(topicName(this.#prefix, topic)), schema, compatibility);
    this.#known.set(name, id);
    return id;
  }
}
