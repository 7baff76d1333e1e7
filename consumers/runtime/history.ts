import type { Clock } from '../../lib/clock.ts';
import type { Cluster, ClusterOptions } from '../../lib/kafka/cluster.ts';
import { offsetRange, offsetSince } from '../../lib/kafka/consume/partition-offsets.ts';
import { readRange } from '../../lib/kafka/consume/read-range.ts';
import { readTopics, type Start } from '../../lib/kafka/topic-reader.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RecordOf } from '../../schemas/generated/events.ts';
import { type TopicId, topicName, type topics } from '../../schemas/topics.ts';
import type { EventDecoder } from './decoder.ts';

type RecordOn<I extends TopicId> = (typeof topics)[I]['record'];

/** What was written before, for processors whose state follows from it. */
export interface History {
  /** Gives each readable record of a topic to `onRecord`, from `start` to what is its end now. */
  readBack<I extends TopicId>(id: I, start: Start, onRecord: (value: RecordOf[RecordOn<I>]) => void): Promise<void>;
  /** Gives the readable records of one partition to `onRecord`, in order, from a time to the one before `untilOffset`. */
  readPartition<I extends TopicId>(
    id: I,
    partition: number,
    range: { readonly sinceMs: number; readonly untilOffset: number },
    signal: AbortSignal,
    onRecord: (value: RecordOf[RecordOn<I>]) => void,
  ): Promise<void>;
}

export interface HistoryOptions {
  /** For reading topics as a whole. */
  readonly options: ClusterOptions;
  readonly cluster: Cluster;
  readonly logger: Logger;
  readonly prefix: string;
  readonly decoderOf: <I extends TopicId>(id: I) => EventDecoder<RecordOn<I>>;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
}

export function createHistory({
  options,
  cluster,
  logger,
  prefix,
  decoderOf,
  clock,
  stopping,
}: HistoryOptions): History {
  return {
    readBack: async (id, start, onRecord) => {
      const decoder = decoderOf(id);
      await readTopics({
        cluster: options,
        logger,
        topics: [topicName(prefix, id)],
        start,
        follow: false,
        signal: stopping,
        onCaughtUp: () => undefined,
        onRecord: async ({ value }) => {
          const decoded = await decoder.decode(value);
          if ('value' in decoded) onRecord(decoded.value);
        },
      });
      // A reading that was ended is not whole.
      stopping.throwIfAborted();
    },
    readPartition: async (id, partition, { sinceMs, untilOffset }, signal, onRecord) => {
      const decoder = decoderOf(id);
      const place = { topic: topicName(prefix, id), partition };
      const from = await offsetSince({ cluster, ...place, sinceMs, signal });
      if (from === undefined) return;
      const { stableEnd } = await offsetRange(cluster, place, signal);
      await readRange({
        ...place,
        cluster,
        from,
        // A topic that was made anew, or cut, may be shorter.
        end: Math.min(untilOffset, stableEnd),
        clock,
        signal,
        onRecords: async (records) => {
          for (const { value } of records) {
            const decoded = decoder.decodeKnown(value) ?? (await decoder.decode(value));
            if ('value' in decoded) onRecord(decoded.value);
          }
        },
      });
    },
  };
}
