import { messageOf } from '../../../lib/errors.ts';
import type { Cluster } from '../../../lib/kafka/cluster.ts';
import { committedOffsets, OffsetsPendingError, offsetRange } from '../../../lib/kafka/consume/partition-offsets.ts';
import type { Coordinators } from '../../../lib/kafka/coordinators.ts';
import type { TopicPartition } from '../../../lib/kafka/ports.ts';
import type { TransactionalProducer } from '../../../lib/kafka/transact/transactional-producer.ts';
import type { Logger } from '../../../lib/logger.ts';

export interface BeginningOptions extends TopicPartition {
  readonly groupId: string;
  /** Has the transactional id of the partition: no transaction of a predecessor is open. */
  readonly producer: Pick<TransactionalProducer, 'endPending'>;
  readonly coordinators: Coordinators;
  readonly cluster: Cluster;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** How long an offset may be pending before it is ended. */
  readonly pendingMs?: number;
}

export interface Beginning {
  /** Offset of the first record to handle. */
  readonly offset: number;
  /** Whether the group has committed nothing here. */
  readonly isFirst: boolean;
}

/**
 * Where a group begins with a partition: what it has committed, or the first record that is kept.
 *
 * @throws {OffsetsPendingError} when the offset stays pending, also after it was ended: it is somebody else's.
 */
export async function beginningOf(options: BeginningOptions): Promise<Beginning> {
  const { cluster, topic, partition, signal, logger } = options;
  const committed = await committedOf(options);
  const { begin } = await offsetRange(cluster, { topic, partition }, signal);
  if (committed !== undefined && committed < begin) {
    logger.error(
      { partition, committed, begin, lost: begin - committed },
      'records were removed before they were read',
    );
  }
  return { offset: Math.max(begin, committed ?? 0), isFirst: committed === undefined };
}

async function committedOf(options: BeginningOptions): Promise<number | undefined> {
  const { producer, groupId, partition, signal, logger } = options;
  const ask = async (): Promise<number | undefined> =>
    (await committedOffsets({ ...options, partitions: [partition] })).get(partition);
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof OffsetsPendingError)) throw error;
    logger.warn(
      { partition, reason: messageOf(error) },
      'a broker has not ended the offsets of a transaction, ending them',
    );
    await producer.endPending(groupId, signal);
    return ask();
  }
}
