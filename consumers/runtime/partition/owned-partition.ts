import type { Clock } from '../../../lib/clock.ts';
import { AppError, messageOf } from '../../../lib/errors.ts';
import type { FetchedBatch } from '../../../lib/kafka/consume/fetcher.ts';
import type { ConsumedRecord } from '../../../lib/kafka/consume/record-batch-reader.ts';
import { RecordRefusedError } from '../../../lib/kafka/record-refused.ts';
import type { GroupMember } from '../../../lib/kafka/transact/transaction-requests.ts';
import type { TransactionalProducer } from '../../../lib/kafka/transact/transactional-producer.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { RecordWriter, TopicRecord } from '../../../schemas/record-writer.ts';
import type { StateLog } from '../changelog.ts';
import type { Decoder } from '../decoder.ts';
import { EffectRunner } from '../effects/effect-runner.ts';
import type { Effect } from '../effects/effects.ts';
import type { ConsumerMetrics } from '../metrics.ts';
import type { AnyEvent, PartitionProcessor } from '../processor.ts';
import type { LocalCopy } from '../state/local-copy.ts';
import { SnapshotDamagedError } from '../state/snapshot.ts';
import { Committer } from './committer.ts';
import { EventHandler } from './event-handler.ts';
import type { Refusals } from './refusals.ts';

/** Neither an output nor the dead letter that should stand for it is taken: a person has to look. */
export class PartitionStoppedError extends AppError {
  override readonly name = 'PartitionStoppedError';
  readonly code = 'PARTITION_STOPPED';
  readonly retryable = false;
}

export interface OwnedPartitionOptions<E extends AnyEvent, V> {
  /** Name of the service, for dead letters. */
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly member: GroupMember;
  readonly producer: Pick<TransactionalProducer, 'commit'>;
  readonly copy: LocalCopy<V>;
  readonly changelog: Pick<StateLog, 'recordsOf'>;
  readonly processor: PartitionProcessor<E>;
  readonly decoder: Decoder<E>;
  readonly writer: RecordWriter;
  readonly refusals: Refusals;
  /** Offset of the first record that is not settled. */
  readonly nextOffset: number;
  readonly metrics: ConsumerMetrics;
  /** For waits and durations. */
  readonly clock: Clock;
  /** The time that the processor sees. */
  readonly time: Pick<Clock, 'nowMs'>;
  readonly logger: Logger;
  /** Whether this instance has the partition at this moment, as far as it can know. */
  readonly isOwner: () => boolean;
  /** Told, once, why the partition cannot be gone on with: it has to be taken anew, or a person has to look. */
  readonly onEnd: (error: Error) => void;
  /** Aborted when the partition is lost: nothing takes effect after that. */
  readonly signal: AbortSignal;
}

/** Most events in one transaction. */
const transactionEvents = 5_000;

/**
 * One partition while this instance has it: events go to the processor in order, and what it gives out, the changes of its state,
 * the ids of the events and how far the partition has come are committed in one transaction.
 *
 * A transaction that was aborted is tried again as it is; any other failure ends the ownership, and the partition is taken anew
 * from what was committed.
 */
export class OwnedPartition<E extends AnyEvent, V> {
  readonly #options: OwnedPartitionOptions<E, V>;
  readonly #events: EventHandler<E>;
  readonly #committer: Committer<V>;
  #work: Promise<void> = Promise.resolve();
  #effects: EffectRunner<Effect, unknown> | undefined;
  #hasEnded = false;
  #isTickDue = false;
  #isClosed = false;
  #busySinceMs: number | undefined;
  #waitingFor: string | undefined;

  constructor(options: OwnedPartitionOptions<E, V>) {
    this.#options = options;
    const onWaiting = (what: string): void => {
      this.#waitingFor = what;
    };
    this.#events = new EventHandler({ ...options, seen: options.copy.seen, onWaiting });
    this.#committer = new Committer({ ...options, onWaiting });
    const { effects } = options.processor;
    if (effects === undefined) return;
    this.#effects = new EffectRunner({
      ...options,
      effects,
      settle: (effect, result) => this.#inTurn(() => this.#give(effects.settle(effect, result))),
      onBug: (error) => this.#end(error as Error),
    });
    this.#effects.begin(true);
  }

  /** Offset of the first record that is not settled. */
  get nextOffset(): number {
    return this.#committer.nextOffset;
  }

  /** Since when it has been at work, by the monotonic clock; `undefined` when it is idle. */
  get busySinceMs(): number | undefined {
    return this.#busySinceMs;
  }

  /** What it waits for, outside of this process; `undefined` when it does not. */
  get waitingFor(): string | undefined {
    return this.#waitingFor;
  }

  /** Resolves when all of `batch` is settled; never, when the partition is lost before. */
  take(batch: FetchedBatch): Promise<void> {
    const run = (): Promise<void> => this.#inTurn(() => this.#takeBatch(batch));
    // Not in turn: effects need turns to make room.
    return this.#effects?.room()?.then(run) ?? run();
  }

  /** Gives the processor the time. */
  tick(): Promise<void> {
    // One that still waits for its turn is enough.
    if (this.#isTickDue) return this.#work;
    this.#isTickDue = true;
    return this.#inTurn(async () => {
      this.#isTickDue = false;
      const { processor, time } = this.#options;
      await this.#give(processor.tick?.(time.nowMs()) ?? []);
    });
  }

  /** Commits outputs that no event has led to. */
  async #give(outputs: readonly TopicRecord[]): Promise<void> {
    try {
      await this.#commit(outputs, this.nextOffset);
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
      throw new PartitionStoppedError(`Kafka never takes what is due: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Resolves when nothing is under way any more. */
  idle(): Promise<void> {
    return this.#work;
  }

  /** Puts what is committed into the snapshot, and closes it. To be called when the partition is lost. Idempotent. */
  async close(): Promise<void> {
    const { copy, clock } = this.#options;
    await this.#work;
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      copy.flush(clock.nowMs());
      copy[Symbol.dispose]();
    } catch (error) {
      if (!(error instanceof SnapshotDamagedError)) throw error;
      this.#discard(error);
    }
  }

  #discard(why: SnapshotDamagedError): void {
    this.#isClosed = true;
    this.#options.logger.warn({ reason: messageOf(why) }, 'a snapshot is thrown away, its topics have the same');
    this.#options.copy.discard();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const { signal, clock } = this.#options;
    const done = this.#work.then(async () => {
      if (signal.aborted || this.#hasEnded) return;
      this.#busySinceMs = clock.monotonicMs();
      try {
        await work();
      } catch (error) {
        this.#end(error as Error);
      } finally {
        this.#busySinceMs = undefined;
        this.#waitingFor = undefined;
      }
    });
    this.#work = done;
    // What comes for a partition that has ended is not settled.
    return done.then(() => (this.#hasEnded || signal.aborted ? new Promise<never>(() => undefined) : undefined));
  }

  #end(error: Error): void {
    const { signal, onEnd } = this.#options;
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (error instanceof SnapshotDamagedError) this.#discard(error);
    // Whatever a partition that was lost meanwhile fails with is of no interest.
    if (!signal.aborted) onEnd(error);
  }

  async #takeBatch({ records, nextOffset, highWatermark }: FetchedBatch): Promise<void> {
    const { refusals, metrics, partition, time } = this.#options;
    let begin = 0;
    while (begin < records.length) {
      const end = this.#transactionEnd(records, begin);
      const chunk = records.slice(begin, end);
      const next = end === records.length ? nextOffset : (records[end]?.offset ?? nextOffset);
      await this.#transact(chunk, next);
      refusals.settled(next);
      const behind = chunk.at(-1);
      const lagRecords = Math.max(0, highWatermark - next);
      const lagMs = lagRecords === 0 || behind === undefined ? 0 : time.nowMs() - behind.timestampMs;
      metrics.lag(partition, lagRecords, Math.max(0, lagMs));
      begin = end;
    }
    this.#committer.passed(nextOffset);
  }

  #transactionEnd(records: readonly ConsumedRecord[], begin: number): number {
    const { refusals } = this.#options;
    const most = Math.min(records.length, begin + transactionEvents);
    if (refusals.areNoneFrom(records[begin]?.offset ?? -1)) return most;
    const isSuspect = (index: number): boolean => refusals.isSuspect(records[index]?.offset ?? -1);
    if (isSuspect(begin)) return begin + 1;
    let end = begin + 1;
    while (end < most && !isSuspect(end)) end += 1;
    return end;
  }

  async #transact(records: readonly ConsumedRecord[], next: number): Promise<void> {
    const { metrics, clock, refusals } = this.#options;
    const beganMs = clock.monotonicMs();
    const outputs = await this.#events.handle(records);
    try {
      await this.#commit(outputs, next);
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
      const offsets = records.map(({ offset }) => offset);
      const [only] = offsets;
      if (offsets.length === 1 && only !== undefined && refusals.whyRefused(only) !== undefined) {
        throw new PartitionStoppedError(`Offset ${only}: Kafka never takes its outputs, nor its dead letter`, {
          cause: error,
        });
      }
      refusals.refused(offsets, messageOf(error));
      throw error;
    }
    metrics.batch(records.length, clock.monotonicMs() - beganMs);
  }

  async #commit(outputs: readonly TopicRecord[], next: number): Promise<void> {
    await this.#committer.commit(outputs, next);
    this.#effects?.begin(false);
  }
}
