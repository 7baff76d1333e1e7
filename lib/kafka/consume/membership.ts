import { setTimeout as pause } from 'node:timers/promises';
import type { Kafka, PartitionAssigner } from 'kafkajs';
import { type Clock, systemClock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Claim } from './copartition.ts';
import { copartitionAssigner } from './copartition-assigner.ts';
import { GroupSession } from './group-session.ts';
import { type MembershipListener, MembershipState } from './membership-state.ts';

const reopenPauseMs = 500;

export interface GroupMembershipOptions extends MembershipListener {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Makes the assigner; `claim` says what this member had last. Not given: partition p of every topic goes to the same member. */
  readonly assigner?: (claim: () => Claim) => PartitionAssigner;
  /** The group goes on without a member that it has not heard of for so long. Brokers take 6 s and more unless told otherwise. */
  readonly sessionTimeoutMs?: number;
  readonly heartbeatIntervalMs?: number;
  /** How long the group waits in a rebalance for members that are alive to join again. */
  readonly rebalanceTimeoutMs?: number;
  readonly clock?: Clock;
  /** The membership has ended for a reason that does not pass with time; `onRevoked` has come before. */
  readonly onFailed: (error: Error) => void;
}

/**
 * A member of a consumer group that fetches nothing: kafkajs joins and heartbeats, all partitions are paused.
 *
 * `onAssigned` and `onRevoked` come in turns. `onAssigned` comes once for each generation that the member joins, and once more for the
 * same generation where the member had to doubt itself (no heartbeat answered for the session time-out less one interval) and a
 * heartbeat is answered after all. `onRevoked` comes synchronously with whatever makes the membership doubtful.
 */
export class GroupMembership {
  readonly #options: GroupMembershipOptions;
  readonly #clock: Clock;
  readonly #sessionTimeoutMs: number;
  readonly #heartbeatIntervalMs: number;
  readonly #state: MembershipState;
  readonly #stopping = new AbortController();
  #session: GroupSession | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: GroupMembershipOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? 9_000;
    this.#heartbeatIntervalMs = options.heartbeatIntervalMs ?? 1_000;
    this.#state = new MembershipState(this.#clock, this.#sessionTimeoutMs - this.#heartbeatIntervalMs, options);
  }

  /** Asked right before something that only the owner of a partition may do. */
  get isMember(): boolean {
    return this.#state.isMember;
  }

  /** When the last heartbeat was sent that has been answered; of the clock's monotonic time. */
  get lastHeartbeatMs(): number {
    return this.#state.lastHeartbeatMs;
  }

  /**
   * Joins the group.
   *
   * @throws {KafkaRequestError} when no broker can be reached, or a topic does not exist.
   */
  start(): Promise<void> {
    return this.#inTurn(() => this.#open());
  }

  /** Leaves the group and joins it again, as somebody new; brokers that are away are waited for. */
  rejoin(): Promise<void> {
    this.#state.left();
    this.#state.forgotten();
    return this.#inTurn(() => this.#openAgain());
  }

  /** Leaves the group for good; takes 3 s at most. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#session?.end();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #open(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const {
      kafka,
      groupId,
      topics,
      assigner = copartitionAssigner,
      onFailed,
      rebalanceTimeoutMs = 10_000,
    } = this.#options;
    const session = new GroupSession({
      kafka,
      groupId,
      topics,
      assigner: assigner(() => this.#state.claim),
      sessionTimeoutMs: this.#sessionTimeoutMs,
      heartbeatIntervalMs: this.#heartbeatIntervalMs,
      rebalanceTimeoutMs,
      clock: this.#clock,
      state: this.#state,
      onCrash: (error, mayPass) => {
        if (mayPass) void this.#inTurn(() => this.#replace(session));
        else onFailed(error);
      },
    });
    this.#session = session;
    try {
      await session.join();
    } catch (error) {
      await session.end();
      throw error;
    }
  }

  /** Unless somebody has asked for a new session in the meantime. */
  async #replace(crashed: GroupSession): Promise<void> {
    if (this.#session === crashed) await this.#openAgain();
  }

  async #openAgain(): Promise<void> {
    const { signal } = this.#stopping;
    await this.#session?.end();
    while (!signal.aborted) {
      try {
        await this.#open();
        return;
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        // kafkajs has logged what the matter is.
        await pause(reopenPauseMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
