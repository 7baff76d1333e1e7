import type { Kafka } from 'kafkajs';
import { type Clock, sleep } from '../../lib/clock.ts';
import { AppError, messageOf } from '../../lib/errors.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import type { KafkaSink } from '../../lib/kafka/kafka-sink.ts';
import { partitionCounts } from '../../lib/kafka/topic-admin.ts';
import type { Logger } from '../../lib/logger.ts';
import {
  type ProvisioningValues,
  provisionSchemas,
  provisionTopics,
  registeredSchemas,
} from '../../schemas/provisioning.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { type TopicId, topicIds, topicName } from '../../schemas/topics.ts';
import type { Destination } from './publisher.ts';

/** A topic or schema that has to be there is not, and this service may not create it. */
export class NotProvisionedError extends AppError {
  override readonly name = 'NotProvisionedError';
  readonly code = 'INGEST_NOT_PROVISIONED';
  readonly retryable = true;
}

export interface ConnectOptions {
  readonly kafka: Kafka;
  readonly sink: KafkaSink;
  readonly registry: SchemaRegistry;
  readonly values: ProvisioningValues & { readonly createTopics: boolean };
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told why an attempt failed, a sentence. */
  readonly onFailure: (reason: string) => void;
  /** Ends the attempts. */
  readonly signal: AbortSignal;
}

const pauseMs = 2_000;

/**
 * Connects to broker and registry and learns what the publisher must know, trying again every 2 s until it succeeds; why it
 * does not is logged each time. `undefined` when the signal ended it.
 */
export async function connect(options: ConnectOptions): Promise<ReadonlyMap<TopicId, Destination> | undefined> {
  const { clock, logger, signal } = options;
  while (!signal.aborted) {
    try {
      const found = await destinations(options);
      if (signal.aborted) return undefined;
      await options.sink.connect();
      return found;
    } catch (error) {
      const reason = messageOf(error);
      options.onFailure(reason);
      logger.warn({ reason }, 'Kafka or the schema registry is not ready, trying again');
      await sleep(clock, pauseMs);
    }
  }
  return undefined;
}

async function destinations({ kafka, registry, values }: ConnectOptions): Promise<ReadonlyMap<TopicId, Destination>> {
  return withAdmin(kafka, async (admin) => {
    if (values.createTopics) await provisionTopics(admin, values);
    const present = new Set(await admin.listTopics());
    const names = topicIds.map((id) => topicName(values.topicPrefix, id));
    const missing = names.filter((name) => !present.has(name));
    if (missing.length > 0) {
      throw new NotProvisionedError(`No topic ${missing.join(', ')}; run \`imwatch topics create\``);
    }
    const counts = await partitionCounts(admin, names);
    const schemaIds = values.createTopics
      ? await provisionSchemas(registry, values.topicPrefix)
      : await registeredSchemas(registry, values.topicPrefix);
    return new Map(topicIds.map((id) => [id, destination(id, values.topicPrefix, counts, schemaIds)]));
  });
}

function destination(
  id: TopicId,
  prefix: string,
  counts: ReadonlyMap<string, number>,
  schemaIds: ReadonlyMap<TopicId, number | undefined>,
): Destination {
  const topic = topicName(prefix, id);
  const schemaId = schemaIds.get(id);
  if (schemaId === undefined) {
    throw new NotProvisionedError(`The schema of ${topic} is not registered; run \`imwatch topics create\``);
  }
  return { topic, partitions: counts.get(topic) ?? 0, schemaId };
}
