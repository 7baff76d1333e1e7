import { setTimeout as pause } from 'node:timers/promises';
import type { Consumer, ConsumerGroupJoinEvent, Kafka, PartitionAssigner } from 'kafkajs';
import type { Clock } from '../../clock.ts';
import { KafkaRequestError, kafkaRequest } from '../admin.ts';
import { type GroupRequestWatcher, watchGroupRequests } from './group-requests.ts';
import type { MembershipState } from './membership-state.ts';

/** How long kafkajs waits after each round of fetching nothing; heartbeats are looked at that often. */
const roundMs = 500;
/** How long leaving waits for kafkajs, which may be waiting for a broker that does not answer. */
const leaveMs = 3_000;
/** Failures in a row after which kafkajs would give the membership up: the session time-out ends it sooner. */
const retry = { retries: Number.MAX_SAFE_INTEGER, initialRetryTime: 100, maxRetryTime: 1_000 };

export interface GroupSessionOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly assigner: PartitionAssigner;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly clock: Clock;
  readonly state: MembershipState;
  /** The consumer has given up; `mayPass` says whether another one may do better. */
  readonly onCrash: (error: Error, mayPass: boolean) => void;
}

/** One consumer of kafkajs, from its connecting to its end: it heartbeats, and fetches nothing. */
export class GroupSession {
  readonly #options: GroupSessionOptions;
  readonly #consumer: Consumer;
  #hasEnded = false;

  constructor(options: GroupSessionOptions) {
    const { kafka, groupId, assigner, clock, state } = options;
    this.#options = options;
    let mayPass = false;
    this.#consumer = kafka.consumer({
      groupId,
      partitionAssigners: [
        (config) => {
          const watcher: GroupRequestWatcher = {
            formerMemberId: () => state.formerMemberId,
            onJoining: () => this.#beforeJoining(),
            onTakenIn: (memberId) => this.#whileOpen(() => state.takenIn(memberId)),
            onSynced: ({ memberId, generationId }, sentAtMs) =>
              this.#whileOpen(() => state.synced({ memberId, generationId, sentAtMs })),
            hasJoined: (generationId) => this.#hasEnded || state.hasJoined(generationId),
            onHeartbeat: (generationId, sentAtMs) => this.#whileOpen(() => state.confirmed(generationId, sentAtMs)),
            onRefused: (generationId) => this.#whileOpen(() => state.refused(generationId)),
            onLeaving: () => this.#whileOpen(() => state.left()),
            onForgotten: () => this.#whileOpen(() => state.forgotten()),
          };
          watchGroupRequests(config.cluster, watcher, () => clock.monotonicMs());
          return assigner(config);
        },
      ],
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: options.heartbeatIntervalMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      maxWaitTimeInMs: roundMs,
      allowAutoTopicCreation: false,
      // Whoever opens sessions starts the next one, and knows then whether one is still wanted.
      retry: {
        ...retry,
        restartOnFailure: () => {
          mayPass = true;
          return Promise.resolve(false);
        },
      },
    });
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, (event) => this.#whileOpen(() => this.#joined(event)));
    this.#consumer.on(this.#consumer.events.CRASH, ({ payload: { error } }) =>
      this.#whileOpen(() => {
        state.left();
        options.onCrash(error, mayPass);
      }),
    );
  }

  /**
   * Joins the group; returns when it has, or when kafkajs has given up and `onCrash` has been told.
   *
   * @throws {KafkaRequestError} when no broker can be reached, or a topic does not exist.
   */
  join(): Promise<void> {
    return kafkaRequest(async () => {
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics: [...this.#options.topics] });
      if (!this.#hasEnded) await this.#consumer.run({ autoCommit: false });
    });
  }

  /** Leaves the group and closes the connections, as far as that is done within 3 s; nothing is told of any more. */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#options.state.left();
    this.#hasEnded = true;
    const given = new AbortController();
    const late = pause(leaveMs, undefined, { signal: given.signal });
    // What fails here fails because the brokers are away, and the group has a time-out for that.
    await Promise.allSettled([Promise.race([this.#consumer.disconnect(), late]).finally(() => given.abort())]);
  }

  /** Synchronously with GROUP_JOIN: kafkajs fetches right after it. */
  #joined({ payload: { memberId, memberAssignment } }: ConsumerGroupJoinEvent): void {
    const { topics, state } = this.#options;
    this.#consumer.pause(topics.map((topic) => ({ topic })));
    const partitions = topics.flatMap((topic) =>
      (memberAssignment[topic] ?? []).toSorted((a, b) => a - b).map((partition) => ({ topic, partition })),
    );
    state.joined(memberId, partitions);
  }

  #beforeJoining(): void {
    // kafkajs may be on its way into the group still when it has been told to stop, and would stay there.
    if (this.#hasEnded) throw new KafkaRequestError('Kafka: the membership has ended');
    this.#options.state.left();
  }

  /** What a consumer tells after its end is of no interest; another one may be under way. */
  #whileOpen(tell: () => void): void {
    if (!this.#hasEnded) tell();
  }
}
