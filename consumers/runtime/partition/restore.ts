import { join } from 'node:path';
import type { Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { Cluster } from '../../../lib/kafka/cluster.ts';
import { offsetRange } from '../../../lib/kafka/consume/partition-offsets.ts';
import { readRange } from '../../../lib/kafka/consume/read-range.ts';
import { topicIdsOf } from '../../../lib/kafka/consume/topic-ids.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { StateLog } from '../changelog.ts';
import type { ConsumerMetrics } from '../metrics.ts';
import { LocalCopy } from '../state/local-copy.ts';
import { Snapshot, SnapshotDamagedError } from '../state/snapshot.ts';
import type { ValueCodec } from '../state/state-store.ts';

export interface RestoreOptions<V> {
  /** For reading: a request that waits for records holds up whatever comes behind it on the connection. */
  readonly cluster: Cluster;
  readonly clusterId: string;
  readonly changelog: StateLog;
  readonly codec: ValueCodec<V>;
  /** Where the snapshots of this instance are. */
  readonly folder: string;
  readonly horizonMs: number;
  readonly partition: number;
  readonly metrics: ConsumerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Brokers keep tombstones for a day by default; an older snapshot may have what they removed. */
const oldestSnapshotMs = 12 * 60 * 60_000;

/**
 * Restores the state of a partition: what its snapshot has, and what stands on the topics behind that, up to their stable end. Whoever
 * calls has the transactional id of the partition already, so that nobody writes there any more.
 *
 * @throws {StateUnreadableError} and the reason of `signal`, once that is aborted.
 */
export async function restore<V>(options: RestoreOptions<V>): Promise<LocalCopy<V>> {
  const { changelog, partition, clock, signal, metrics, logger } = options;
  const beganMs = clock.monotonicMs();
  const ranges = await Promise.all(
    changelog.topics.map(async (topic) => ({
      topic,
      ...(await offsetRange(options.cluster, { topic, partition }, signal)),
    })),
  );
  const topicIds = await topicIdsOf(options.cluster, changelog.topics, signal);
  let copy = openCopy(options, topicIds);
  const ahead = ranges.find(({ topic, stableEnd }) => (copy.positions.get(topic) ?? 0) > stableEnd);
  if (ahead !== undefined) {
    logger.warn({ topic: ahead.topic, partition }, 'a snapshot goes further than its topic, which was made anew');
    copy.discard();
    copy = openCopy(options, topicIds);
  }
  const isFromSnapshot = copy.positions.size > 0;
  let records = 0;
  try {
    for (const { topic, begin, stableEnd } of ranges) {
      await readRange({
        cluster: options.cluster,
        topic,
        partition,
        from: Math.max(begin, copy.positions.get(topic) ?? 0),
        end: stableEnd,
        clock,
        signal,
        onRecords: async (read, next) => {
          copy.restore(await changelog.read(topic, read), topic, next);
          records += read.length;
        },
      });
    }
    copy.restored(clock.nowMs());
  } catch (error) {
    copy.giveUp(error);
    throw error;
  }
  const tookMs = clock.monotonicMs() - beganMs;
  metrics.restored(isFromSnapshot ? 'snapshot' : 'topic', tookMs);
  logger.info(
    { partition, from: isFromSnapshot ? 'snapshot' : 'topic', records, tookMs: Math.round(tookMs) },
    'restored',
  );
  return copy;
}

function openCopy<V>(options: RestoreOptions<V>, topicIds: readonly string[]): LocalCopy<V> {
  const { clusterId, changelog, codec, folder, horizonMs, partition, clock, logger } = options;
  const path = join(folder, `${partition}.sqlite`);
  const nowMs = clock.nowMs();
  const of = {
    clusterId,
    topics: changelog.topics.map((topic, index) => `${topic} ${topicIds[index]}`),
    partition,
    ...(codec.schema !== undefined && { schema: codec.schema }),
  };
  const onDiscard = (why: string): void => {
    logger.warn({ path, why }, 'a snapshot is thrown away, its topics have the same');
  };
  const open = (): Snapshot => Snapshot.open(path, of, nowMs - oldestSnapshotMs, onDiscard);
  const snapshot = open();
  try {
    return new LocalCopy(snapshot, codec, horizonMs, nowMs);
  } catch (error) {
    if (!(error instanceof SnapshotDamagedError)) throw error;
    onDiscard(messageOf(error));
    snapshot.discard();
    return new LocalCopy(open(), codec, horizonMs, nowMs);
  }
}
