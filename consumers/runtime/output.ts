import { type Clock, sleep } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { RecordSink } from '../../lib/kafka/ports.ts';
import { RecordRefusedError } from '../../lib/kafka/record-refused.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RecordWriter, TopicRecord } from '../../schemas/record-writer.ts';
import type { ConsumerMetrics } from './metrics.ts';

const firstPauseMs = 100;
const longestPauseMs = 5_000;

export interface OutputOptions {
  readonly sink: RecordSink;
  readonly writer: RecordWriter;
  readonly metrics: ConsumerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Resolves when all of `records` are durable. Kafka away is waited for, with pauses that grow to 5 s, so a record may be written
 * more than once. Those that Kafka does not take together are sent by halves: it bounds the bytes of a partition in a request.
 *
 * @param signal gives up waiting; then this rejects with its reason.
 * @throws {RecordRefusedError} when Kafka will never take one of them.
 */
export async function writeOutputs(
  records: readonly TopicRecord[],
  options: OutputOptions,
  signal: AbortSignal,
): Promise<void> {
  if (records.length === 0) return;
  const { sink, writer, metrics, clock, logger } = options;
  const outgoing = records.map((record) => writer.recordOf(record));
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      await sink.send(outgoing);
      for (const { topic } of records) metrics.written(topic);
      return;
    } catch (error) {
      if (error instanceof RecordRefusedError) {
        if (records.length === 1) throw error;
        const middle = Math.ceil(records.length / 2);
        await writeOutputs(records.slice(0, middle), options, signal);
        await writeOutputs(records.slice(middle), options, signal);
        return;
      }
      logger.warn({ reason: messageOf(error), records: records.length }, 'Kafka does not take records, trying again');
      await sleep(clock, pauseMs);
      signal.throwIfAborted();
    }
  }
}
