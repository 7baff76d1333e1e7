import type { Consumer, Kafka } from 'kafkajs';
import { kafkaRequest } from '../admin.ts';
import { copartitionAssigner } from './copartition-assigner.ts';

/** What a member of a group has between two rebalances. */
export interface Assigned {
  readonly memberId: string;
  readonly generationId: number;
  /** Numbers of its partitions, the same of every topic. */
  readonly partitions: readonly number[];
}

export interface GroupMembershipOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly onAssigned: (assigned: Assigned) => void;
  /** Told, before anybody else can have them, that the partitions are to be left. */
  readonly onRevoked: () => void;
  /** Told that the client has given up for good. */
  readonly onFailed: (error: Error) => void;
}

/** A killed member is missed after this long; brokers take no less than 6 s by default. */
const sessionTimeoutMs = 9_000;
const heartbeatIntervalMs = 500;
/** How often the client looks whether to send a heartbeat; it fetches nothing. */
const loopMs = 250;

/**
 * Membership of a consumer group by kafkajs, whose loop only sends heartbeats here: all partitions are paused as soon as they are
 * assigned, and read by somebody else.
 *
 * kafkajs tells the generation with the first heartbeat, so that the partitions are given out up to 750 ms after the group has shared them.
 */
export class GroupMembership {
  readonly #options: GroupMembershipOptions;
  readonly #consumer: Consumer;
  /** Has joined, its generation not known yet. */
  #joined: { readonly memberId: string; readonly partitions: readonly number[] } | undefined;
  #lastPartitions: readonly number[] = [];
  #assigned: Assigned | undefined;
  #rejoining: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: GroupMembershipOptions) {
    this.#options = options;
    this.#consumer = options.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: heartbeatIntervalMs,
      maxWaitTimeInMs: loopMs,
      partitionAssigners: [copartitionAssigner(() => this.#lastPartitions)],
    });
    this.#listen();
  }

  /** What this member has now; `undefined` while the group shares the partitions. */
  get assigned(): Assigned | undefined {
    return this.#assigned;
  }

  /** Joins the group. @throws {KafkaRequestError} when the cluster cannot be reached. */
  async start(): Promise<void> {
    await kafkaRequest(async () => {
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
      await this.#run();
    });
  }

  /** Leaves the group and joins it again, so that all partitions are taken anew. Idempotent while that is under way. */
  rejoin(): void {
    this.#revoke();
    this.#rejoining ??= this.#again().finally(() => {
      this.#rejoining = undefined;
    });
  }

  /** Leaves the group. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#revoke();
    await this.#consumer.disconnect();
  }

  async #again(): Promise<void> {
    await this.#consumer.stop();
    if (!this.#isStopped) await this.#run();
  }

  #run(): Promise<void> {
    return this.#consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined });
  }

  #listen(): void {
    const { topics, onFailed, onAssigned } = this.#options;
    const { GROUP_JOIN, HEARTBEAT, REBALANCING, CRASH } = this.#consumer.events;
    this.#consumer.on(GROUP_JOIN, ({ payload: { memberId, memberAssignment } }) => {
      this.#revoke();
      this.#consumer.pause(topics.map((topic) => ({ topic })));
      const [topic = ''] = topics;
      this.#lastPartitions = memberAssignment[topic] ?? [];
      this.#joined = { memberId, partitions: this.#lastPartitions };
    });
    this.#consumer.on(HEARTBEAT, ({ payload: { memberId, groupGenerationId: generationId } }) => {
      if (this.#joined?.memberId !== memberId || this.#isStopped) return;
      this.#assigned = { memberId, generationId, partitions: this.#joined.partitions };
      this.#joined = undefined;
      onAssigned(this.#assigned);
    });
    this.#consumer.on(REBALANCING, () => this.#revoke());
    this.#consumer.on(CRASH, ({ payload: { error, restart } }) => {
      this.#revoke();
      if (!restart) onFailed(error);
    });
  }

  #revoke(): void {
    this.#joined = undefined;
    if (this.#assigned === undefined) return;
    this.#assigned = undefined;
    this.#options.onRevoked();
  }
}
