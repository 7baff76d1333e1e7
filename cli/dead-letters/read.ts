import type { Kafka } from 'kafkajs';
import { EventDecoder } from '../../consumers/runtime/decoder.ts';
import { UserError } from '../../lib/errors.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import type { ClusterOptions } from '../../lib/kafka/cluster.ts';
import { type ReadRecord, readTopics, type Start } from '../../lib/kafka/topic-reader.ts';
import type { Logger } from '../../lib/logger.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { topicName } from '../../schemas/topics.ts';
import { note } from '../output.ts';
import { type LetterFilter, matches } from './filter.ts';
import type { PlacedLetter } from './letter.ts';

export interface LetterReading {
  readonly kafka: Kafka;
  readonly cluster: ClusterOptions;
  readonly logger: Logger;
  readonly registry: SchemaRegistry;
  readonly topicPrefix: string;
  readonly filter: LetterFilter;
  /** Ends the reading early. */
  readonly signal: AbortSignal;
}

/**
 * Gives out the dead letters that `filter` means and that are there now, in the order of their partition. Records that are no
 * dead letters are counted and said.
 *
 * @throws {UserError} when the topic does not exist.
 */
export async function readLetters(
  { kafka, cluster, logger, registry, topicPrefix, filter, signal }: LetterReading,
  onLetter: (placed: PlacedLetter) => Promise<void> | void,
): Promise<void> {
  const topic = topicName(topicPrefix, 'dead-letter');
  const present = await withAdmin(kafka, (admin) => admin.listTopics());
  if (!present.includes(topic)) throw new UserError(`No topic ${topic}; run \`imwatch topics create\``);
  const decoder = new EventDecoder('DeadLetter', registry);
  // The time of a dead letter on its topic is that of its failure.
  const start: Start = filter.sinceMs === undefined ? 'beginning' : { sinceMs: filter.sinceMs };
  let unreadable = 0;
  const take = async ({ partition, offset, value }: ReadRecord): Promise<void> => {
    const decoded = await decoder.decode(value);
    if ('problem' in decoded) unreadable += 1;
    else {
      const placed = { partition, offset, letter: decoded.value };
      if (matches(filter, placed)) await onLetter(placed);
    }
  };
  await readTopics({
    cluster,
    logger,
    topics: [topic],
    start,
    follow: false,
    signal,
    onCaughtUp: () => undefined,
    onRecord: (record) => (signal.aborted ? undefined : take(record)),
  });
  if (unreadable > 0) note(`${unreadable} records of ${topic} cannot be read as dead letters (see \`imwatch tail\`)`);
}
