import { type Clock, sleep } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import type { OutgoingRecord } from '../../../lib/kafka/ports.ts';
import { TransactionAbortedError } from '../../../lib/kafka/transact/errors.ts';
import type { GroupMember } from '../../../lib/kafka/transact/transaction-requests.ts';
import type { TransactionalProducer } from '../../../lib/kafka/transact/transactional-producer.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { RecordWriter, TopicRecord } from '../../../schemas/record-writer.ts';
import type { StateLog } from '../changelog.ts';
import type { ConsumerMetrics } from '../metrics.ts';
import { retryPauseMs } from '../retry-pause.ts';
import type { LocalCopy } from '../state/local-copy.ts';

export interface CommitterOptions<V> {
  readonly topic: string;
  readonly partition: number;
  readonly member: GroupMember;
  readonly producer: Pick<TransactionalProducer, 'commit'>;
  readonly copy: LocalCopy<V>;
  readonly changelog: Pick<StateLog, 'recordsOf'>;
  readonly writer: RecordWriter;
  /** Offset of the first record that is not settled. */
  readonly nextOffset: number;
  readonly metrics: Pick<ConsumerMetrics, 'committed' | 'written' | 'retried'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told what is waited for outside of this process. */
  readonly onWaiting: (what: string) => void;
  readonly signal: AbortSignal;
}

/** Makes what a partition has given out, changed and come to take effect together: one transaction of Kafka at a time. */
export class Committer<V> {
  readonly #options: CommitterOptions<V>;
  #nextOffset: number;

  constructor(options: CommitterOptions<V>) {
    this.#options = options;
    this.#nextOffset = options.nextOffset;
  }

  /** Offset of the first record that is not settled. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Records up to `next` have led to nothing, which needs no transaction. */
  passed(next: number): void {
    this.#nextOffset = next;
  }

  /**
   * Commits `outputs`, the changes of the copy since the last time, and that records before `next` are settled; does nothing when that
   * is nothing. What was aborted is tried again as it is.
   *
   * @throws {RecordRefusedError} {NotMemberError} and whatever else leaves open what was committed: the partition has to be taken anew.
   */
  async commit(outputs: readonly TopicRecord[], next: number): Promise<void> {
    const { topic, partition, member, copy, changelog, writer, metrics, clock } = this.#options;
    const change = copy.change();
    const own = changelog.recordsOf(change, partition, clock.nowMs());
    if (outputs.length === 0 && own.length === 0 && next === this.#nextOffset) return;
    const records = [...outputs.map((output) => writer.recordOf(output)), ...own];
    const beganMs = clock.monotonicMs();
    const written = await this.#untilCommitted({ records, offsets: [{ topic, partition, offset: next }], member });
    metrics.committed(clock.monotonicMs() - beganMs);
    for (const { topic: id } of outputs) metrics.written(id);
    copy.committed(change, writtenOf(own, written), clock.nowMs());
    this.#nextOffset = next;
  }

  async #untilCommitted(
    transaction: Parameters<TransactionalProducer['commit']>[0],
  ): ReturnType<TransactionalProducer['commit']> {
    const { producer, signal, metrics, clock, logger, onWaiting } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await producer.commit(transaction, signal);
      } catch (error) {
        if (!(error instanceof TransactionAbortedError)) throw error;
        onWaiting(`Kafka: ${messageOf(error)}`);
        metrics.retried('transaction');
        logger.warn({ reason: messageOf(error) }, 'a transaction was aborted, trying again');
        await sleep(clock, retryPauseMs(attempt));
      }
    }
  }
}

/** Offset behind the last of `own` on each of their topics, as far as the broker has told. */
function writtenOf(
  own: readonly OutgoingRecord[],
  lastOffsets: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const written = new Map<string, number>();
  for (const { topic, partition } of own) {
    const last = lastOffsets.get(`${topic}/${partition}`);
    if (last !== undefined) written.set(topic, last + 1);
  }
  return written;
}
