import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { type Clock, sleep } from '../../lib/clock.ts';
import { asError, messageOf } from '../../lib/errors.ts';
import { isKafkaClientError, kafkaRequest } from '../../lib/kafka/admin.ts';
import type { Logger } from '../../lib/logger.ts';
import type { RecordName } from '../../schemas/generated/events.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';
import { RegistryUnavailableError } from '../../schemas/registry.ts';
import { deadLetterOf } from './dead-letter.ts';
import type { Decoded, EventDecoder } from './decoder.ts';
import { Lane } from './lane.ts';
import type { ConsumerMetrics } from './metrics.ts';
import type { Outcome, PartitionProcessor } from './processor.ts';

/** Makes the processors of partitions that this instance gets, with what they must know from before. */
export type CreateProcessors<N extends RecordName> = (
  partitions: readonly number[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<number, PartitionProcessor<N>>>;

export interface TopicConsumerOptions<N extends RecordName> {
  readonly kafka: Kafka;
  /** Name of the service, for dead letters. */
  readonly service: string;
  readonly groupId: string;
  readonly topic: string;
  readonly decoder: EventDecoder<N>;
  readonly createProcessors: CreateProcessors<N>;
  /** Resolves when all records are durable. */
  readonly write: (records: readonly TopicRecord[], signal: AbortSignal) => Promise<void>;
  readonly metrics: ConsumerMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of a bug: of an exception that a processor threw, or of a consumer that does not go on. */
  readonly onBug: (error: Error) => void;
}

/** What one instance has between two rebalances. */
interface Assignment<N extends RecordName> {
  readonly lanes: Promise<ReadonlyMap<number, Lane<N>>>;
  readonly end: AbortController;
  /** What `lanes` has become; `undefined` while what was written before is read back. */
  restored: ReadonlyMap<number, Lane<N>> | undefined;
}

/** A killed member is missed after this long; brokers take no less than 6 s by default. */
const sessionTimeoutMs = 9_000;
const heartbeatIntervalMs = 1_000;
const tickIntervalMs = 1_000;
const registryPauseMs = 1_000;
/** Events between two commits. */
const chunkSize = 500;

/**
 * Consumes one topic at least once: events go to the processor of their partition in order, what it gives is written, and only
 * then the offset is committed. What cannot be decoded or handled becomes a dead letter; broker or registry away is waited for.
 */
export class TopicConsumer<N extends RecordName> {
  readonly #options: TopicConsumerOptions<N>;
  readonly #consumer: Consumer;
  readonly #stopping = new AbortController();
  #assignment: Assignment<N> | undefined;
  #cancelTick: () => void = () => undefined;

  constructor(options: TopicConsumerOptions<N>) {
    this.#options = options;
    this.#consumer = options.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      maxWaitTimeInMs: 200,
    });
  }

  /** Why it does not consume yet; `undefined` when it does. */
  get waitingFor(): string | undefined {
    if (this.#assignment === undefined) return 'waiting for partitions from the consumer group';
    return this.#assignment.restored === undefined ? 'reading back what was written before' : undefined;
  }

  /** Joins the group; events come from now on. @throws {KafkaRequestError} when the cluster cannot be reached. */
  async start(): Promise<void> {
    const { topic, onBug } = this.#options;
    this.#consumer.on('consumer.group_join', ({ payload }) => {
      this.#assign(payload.memberAssignment[topic] ?? []);
    });
    this.#consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
      if (!restart) onBug(error);
    });
    try {
      await kafkaRequest(async () => {
        await this.#consumer.connect();
        await this.#consumer.subscribe({ topic, fromBeginning: true });
        await this.#consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: (payload) => this.#takeBatch(payload),
        });
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
    // A stop that came while it joined found nothing to leave yet.
    if (this.#stopping.signal.aborted) await this.#consumer.disconnect();
    else this.#tickLater();
  }

  /** Leaves the group when what was begun has ended. */
  async stop(): Promise<void> {
    this.#cancelTick();
    this.#stopping.abort();
    this.#assignment?.end.abort();
    await this.#consumer.disconnect();
  }

  /** A rebalance begins every partition anew from its committed offset, so what was known of it is dropped. */
  #assign(partitions: readonly number[]): void {
    if (this.#stopping.signal.aborted) return;
    const { createProcessors, metrics, logger, onBug } = this.#options;
    this.#assignment?.end.abort();
    this.#seek(partitions);
    metrics.noLag();
    const end = new AbortController();
    const lanes = createProcessors(partitions, end.signal).then((processors) => {
      logger.info({ partitions }, 'consuming');
      assignment.restored = new Map(
        processors.entries().map(([partition, each]) => [partition, new Lane(partition, each)]),
      );
      return assignment.restored;
    });
    const assignment: Assignment<N> = { lanes, end, restored: undefined };
    this.#assignment = assignment;
    lanes.catch((error: unknown) => {
      if (!end.signal.aborted) onBug(asError(error));
    });
  }

  /**
   * Has the partitions that this instance keeps fetched again from where they begin anew. With several brokers kafkajs joins
   * while batches that it has fetched before still wait; they lie behind the begin, and are stale from now on.
   */
  #seek(partitions: readonly number[]): void {
    const { topic } = this.#options;
    for (const { partition, beginning } of this.#assignment?.restored?.values() ?? []) {
      if (beginning === undefined || !partitions.includes(partition)) continue;
      this.#consumer.seek({ topic, partition, offset: String(beginning) });
    }
  }

  async #takeBatch(payload: EachBatchPayload): Promise<void> {
    const assignment = this.#assignment;
    if (assignment === undefined) throw new Error('A batch came before the partitions did');
    const { signal } = assignment.end;
    // Work that takes longer than the session must not lose it.
    const heartbeat = setInterval(() => payload.heartbeat().catch(() => undefined), heartbeatIntervalMs);
    try {
      const lane = (await assignment.lanes).get(payload.batch.partition);
      if (lane === undefined) return;
      await lane.run(() => this.#takeMessages(lane, payload, signal));
    } catch (error) {
      // A partition that has gone to somebody else, or a stop: its work is done again from the committed offset.
      if (!signal.aborted) this.#options.onBug(asError(error));
    } finally {
      clearInterval(heartbeat);
    }
  }

  async #takeMessages(lane: Lane<N>, payload: EachBatchPayload, signal: AbortSignal): Promise<void> {
    const { batch, resolveOffset, isStale, isRunning } = payload;
    for (let begin = 0; begin < batch.messages.length; begin += chunkSize) {
      const outputs: TopicRecord[] = [];
      for (const message of batch.messages.slice(begin, begin + chunkSize)) {
        if (signal.aborted || isStale() || !isRunning()) return;
        outputs.push(...(await this.#takeMessage(lane, message, signal)));
      }
      await this.#settle(lane, outputs, signal);
      // Kafkajs would go on from here after a rebalance too.
      if (signal.aborted) return;
      resolveOffset(String((lane.next ?? 1n) - 1n));
      this.#options.metrics.lag(lane.partition, Number(BigInt(batch.highWatermark) - (lane.next ?? 0n)));
    }
  }

  async #takeMessage(lane: Lane<N>, message: KafkaMessage, signal: AbortSignal): Promise<readonly TopicRecord[]> {
    const { service, topic, clock, metrics, logger } = this.#options;
    const { partition, processor } = lane;
    const offset = BigInt(message.offset);
    const decoded = await this.#decode(message.value, signal);
    const outcome: Outcome =
      'problem' in decoded
        ? { kind: 'park', reason: 'RECORD_NOT_READABLE', detail: decoded.problem }
        : processor.take({ value: decoded.value, partition, offset });
    lane.took(offset);
    metrics.handled(outcome.kind);
    if (outcome.kind === 'ok') return outcome.outputs ?? [];
    if (outcome.kind === 'skip') {
      logger.debug({ partition, offset: message.offset, why: outcome.why }, 'skipped');
      return [];
    }
    const { reason, detail } = outcome;
    logger.warn({ partition, offset: message.offset, reason, detail }, 'dead letter');
    return [deadLetterOf({ service, topic, partition, message, reason, detail, failedAtMs: clock.nowMs() })];
  }

  async #decode(value: Buffer | null, signal: AbortSignal): Promise<Decoded<N>> {
    const { decoder, clock, logger } = this.#options;
    for (;;) {
      try {
        return await decoder.decode(value);
      } catch (error) {
        if (!(error instanceof RegistryUnavailableError)) throw error;
        logger.warn({ reason: messageOf(error) }, 'the schema of a record is not known yet, asking again');
        await sleep(clock, registryPauseMs);
        signal.throwIfAborted();
      }
    }
  }

  /** Writes `outputs`, then commits how far the partition is settled. */
  async #settle(lane: Lane<N>, outputs: readonly TopicRecord[], signal: AbortSignal): Promise<void> {
    await this.#options.write(outputs, signal);
    const offset = lane.uncommitted;
    if (offset === undefined || signal.aborted) return;
    const { topic, logger } = this.#options;
    try {
      await this.#consumer.commitOffsets([{ topic, partition: lane.partition, offset: String(offset) }]);
      lane.committed(offset);
    } catch (error) {
      if (!isKafkaClientError(error)) throw error;
      // The next commit says the same and more; a partition that is lost by now is begun from the last one.
      logger.warn({ partition: lane.partition, reason: messageOf(error) }, 'cannot commit now');
    }
  }

  #tickLater(): void {
    this.#cancelTick = this.#options.clock.after(tickIntervalMs, async () => {
      await this.#tick();
      if (!this.#stopping.signal.aborted) this.#tickLater();
    });
  }

  async #tick(): Promise<void> {
    const assignment = this.#assignment;
    if (assignment?.restored === undefined) return;
    const { signal } = assignment.end;
    try {
      for (const lane of assignment.restored.values()) {
        await lane.run(async () => {
          if (signal.aborted) return;
          await this.#settle(lane, lane.processor.tick?.(this.#options.clock.nowMs()) ?? [], signal);
        });
      }
    } catch (error) {
      if (!signal.aborted) this.#options.onBug(asError(error));
    }
  }
}
