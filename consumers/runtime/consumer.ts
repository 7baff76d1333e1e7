import type { Kafka } from 'kafkajs';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Cluster } from '../../lib/kafka/cluster.ts';
import { Fetcher } from '../../lib/kafka/consume/fetcher.ts';
import { GroupMembership } from '../../lib/kafka/consume/membership.ts';
import type { GroupAssignment } from '../../lib/kafka/consume/membership-state.ts';
import type { Coordinators } from '../../lib/kafka/coordinators.ts';
import { TransactionalProducer } from '../../lib/kafka/transact/transactional-producer.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Readiness } from '../../lib/management-server.ts';
import type { RecordWriter } from '../../schemas/record-writer.ts';
import { Assignment } from './assignment.ts';
import type { StateLog } from './changelog.ts';
import type { Decoder } from './decoder.ts';
import type { ConsumerMetrics, ConsumerState } from './metrics.ts';
import { beginningOf } from './partition/beginning.ts';
import { OwnedPartition } from './partition/owned-partition.ts';
import { Refusals } from './partition/refusals.ts';
import { restore } from './partition/restore.ts';
import type { AnyEvent, CreateProcessor, CreateProcessors } from './processor.ts';
import type { ValueCodec } from './state/state-store.ts';

/** Connections to Kafka: each kind of request on its own, so that none waits behind another. */
export interface Connections {
  readonly fetching: Cluster;
  readonly restoring: Cluster;
  /** Transactions are spread over these by partition: a broker answers the requests of a connection one after the other. */
  readonly transacting: readonly { readonly cluster: Cluster; readonly coordinators: Coordinators }[];
}

export interface TopicConsumerOptions<E extends AnyEvent, V> {
  readonly kafka: Kafka;
  readonly connections: Connections;
  readonly clusterId: string;
  /** Name of the service, for dead letters. */
  readonly service: string;
  readonly groupId: string;
  readonly topic: string;
  readonly decoder: Decoder<E>;
  readonly writer: RecordWriter;
  readonly changelog: StateLog;
  readonly codec: ValueCodec<V>;
  /** Where the snapshots of this instance are. */
  readonly stateFolder: string;
  readonly dedupHorizonMs: number;
  readonly createProcessors: CreateProcessors<E, V>;
  readonly metrics: ConsumerMetrics;
  /** For waits and durations. */
  readonly clock: Clock;
  /** The time that processors see. */
  readonly time: Clock;
  readonly logger: Logger;
  /** Told of a bug: of an exception that a processor threw, or of a client that does not go on. */
  readonly onBug: (error: Error) => void;
}

const tickIntervalMs = 1_000;
/** Far longer than a transaction takes, which gives up by itself. */
const stuckMs = 120_000;

/**
 * Consumes one topic exactly once: events go to the processor of their partition in order, and what it gives out, its state, and how
 * far it has come take effect together. Partitions are shared with the other members of the group.
 *
 * On taking a partition: its transactional id, which fences whoever had it; then the offset that is committed by now; then the state
 * up to the stable end of its topics; and only then its records.
 */
export class TopicConsumer<E extends AnyEvent, V> {
  readonly #options: TopicConsumerOptions<E, V>;
  readonly #membership: GroupMembership;
  readonly #fetcher: Fetcher;
  readonly #refusals = new Map<number, Refusals>();
  #assignment: Assignment<E, V> | undefined;
  /** Resolves when the assignment before has been left. */
  #left: Promise<void> = Promise.resolve();
  #isStopped = false;
  #cancelTick: () => void = () => undefined;

  constructor(options: TopicConsumerOptions<E, V>) {
    this.#options = options;
    const { kafka, groupId, topic, connections, clock, logger, onBug } = options;
    this.#fetcher = new Fetcher({ cluster: connections.fetching, clock, logger });
    this.#membership = new GroupMembership({
      kafka,
      groupId,
      topics: [topic],
      onAssigned: (assigned) => this.#assign(assigned),
      onRevoked: () => this.#revoke(),
      onFailed: onBug,
    });
  }

  get readiness(): Readiness {
    if (this.#assignment !== undefined) return this.#assignment.readiness;
    return { status: 'unavailable', reasons: ['waiting for partitions from the consumer group'] };
  }

  /** Why this process should be started again; `undefined` while it makes progress, or waits for Kafka or the registry. */
  get stuckBecause(): string | undefined {
    return this.#assignment?.stuckBecause(stuckMs);
  }

  get state(): ConsumerState {
    return this.#assignment?.state ?? { partitions: { running: 0, claiming: 0, stopped: 0 }, oldestInFlightMs: 0 };
  }

  /** Joins the group; events come from now on. @throws {KafkaRequestError} when the cluster cannot be reached. */
  async start(): Promise<void> {
    await this.#membership.start();
    if (!this.#isStopped) this.#tickLater();
  }

  /** Leaves the group when what was begun has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick();
    this.#fetcher.stop();
    await this.#assignment?.settled();
    await this.#membership.stop();
    await this.#left;
  }

  #assign({ memberId, generationId, partitions: places }: GroupAssignment): void {
    const partitions = places.map(({ partition }) => partition);
    const { clock, metrics, logger, createProcessors, groupId } = this.#options;
    metrics.rebalanced();
    logger.info({ partitions, generationId }, 'partitions assigned');
    const create = createProcessors(partitions);
    const member = { groupId, memberId, generationId };
    const left = this.#left;
    this.#assignment = new Assignment({
      partitions,
      claim: async (partition, signal, onEnd) => {
        await left;
        return this.#claim(partition, member, create, signal, onEnd);
      },
      onLost: (error) => {
        logger.warn({ reason: messageOf(error) }, 'a partition has to be taken anew, joining the group again');
        void this.#membership.rejoin();
      },
      onBug: this.#options.onBug,
      clock,
      logger,
    });
  }

  #revoke(): void {
    const { topic, metrics } = this.#options;
    const assignment = this.#assignment;
    if (assignment === undefined) return;
    this.#assignment = undefined;
    for (const partition of assignment.partitions) this.#fetcher.remove({ topic, partition });
    metrics.noLag();
    this.#left = assignment.leave();
  }

  async #claim(
    partition: number,
    member: { readonly groupId: string; readonly memberId: string; readonly generationId: number },
    create: CreateProcessor<E, V>,
    signal: AbortSignal,
    onEnd: (error: Error) => void,
  ): Promise<OwnedPartition<E, V>> {
    const { topic, groupId, connections, clock, logger, writer } = this.#options;
    const { transacting, restoring } = connections;
    const connection = transacting[partition % transacting.length];
    if (connection === undefined) throw new Error('No connections for transactions');
    const transactionalId = `${groupId}/${topic}/${partition}`;
    const producer = new TransactionalProducer({
      ...connection,
      transactionalId,
      groupId,
      places: writer.places,
      onForgottenMarks: (places, outcome) =>
        logger.warn(
          { partition, places, outcome },
          'a broker has forgotten the end of a transaction, writing it again',
        ),
      clock,
    });
    await producer.initialise(signal);
    const { coordinators } = connection;
    const place = { topic, partition };
    const { offset: nextOffset, isFirst } = await beginningOf({
      ...place,
      groupId,
      producer,
      coordinators,
      cluster: restoring,
      logger,
      signal,
    });
    const copy = await restore({
      ...this.#options,
      cluster: restoring,
      folder: this.#options.stateFolder,
      horizonMs: this.#options.dedupHorizonMs,
      partition,
      signal,
    });
    if (isFirst && !copy.seen.isEmpty) {
      logger.error(
        { partition, groupId, nextOffset },
        'the group has lost its offsets, though its state is there: events from here on are handled again, and known as repeats only within DEDUP_HORIZON_MS',
      );
    }
    try {
      const processor = await create({ partition, state: copy.state, nextOffset, signal });
      signal.throwIfAborted();
      const owned = new OwnedPartition({
        ...this.#options,
        partition,
        member,
        producer,
        copy,
        processor,
        refusals: this.#refusalsOf(partition),
        nextOffset,
        isOwner: () => this.#membership.isMember && !signal.aborted,
        onEnd,
        signal,
      });
      this.#fetcher.add(place, nextOffset, (batch) => owned.take(batch));
      return owned;
    } catch (error) {
      copy.giveUp(error);
      throw error;
    }
  }

  #refusalsOf(partition: number): Refusals {
    const refusals = this.#refusals.get(partition) ?? new Refusals();
    this.#refusals.set(partition, refusals);
    return refusals;
  }

  #tickLater(): void {
    this.#cancelTick = this.#options.time.after(tickIntervalMs, () => {
      this.#assignment?.tick();
      this.#tickLater();
    });
  }
}
