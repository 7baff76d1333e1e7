import type { Clock } from '../../clock.ts';
import type { TopicPartition } from '../ports.ts';
import type { Claim } from './copartition.ts';

/** What a group has given a member in one generation. */
export interface GroupAssignment {
  readonly memberId: string;
  readonly generationId: number;
  readonly partitions: readonly TopicPartition[];
}

export interface MembershipListener {
  /** The member owns `partitions` from now on; offsets committed with its id and generation are taken. */
  readonly onAssigned: (assignment: GroupAssignment) => void;
  /** It owns nothing any more, or nobody knows whether it does. */
  readonly onRevoked: () => void;
}

interface Synced {
  readonly memberId: string;
  readonly generationId: number;
  readonly sentAtMs: number;
}

/**
 * Whether a member of a group may believe that it is one. `onAssigned` and `onRevoked` come in turns, each of them synchronously with
 * what it is told of.
 *
 * The coordinator forgets a member one session time-out after the last sign of life that it has received. Time is counted here from
 * when that was sent, and shorter, so that the member doubts itself before anybody else is given what it has.
 */
export class MembershipState {
  readonly #clock: Clock;
  readonly #doubtAfterMs: number;
  readonly #listener: MembershipListener;
  #synced: Synced | undefined;
  #assignment: GroupAssignment | undefined;
  #formerMemberId: string | undefined;
  #claim: Claim = { generationId: -1, partitions: [] };
  #isTold = false;
  #confirmedMs = Number.NEGATIVE_INFINITY;
  #cancelCheck: () => void = () => undefined;

  constructor(clock: Clock, doubtAfterMs: number, listener: MembershipListener) {
    this.#clock = clock;
    this.#doubtAfterMs = doubtAfterMs;
    this.#listener = listener;
  }

  /** Asked right before something that only the owner may do; true only while `onAssigned` has been told and nothing since. */
  get isMember(): boolean {
    return this.#isTold && this.#isFresh();
  }

  /** When the last sign of life was sent that the coordinator has answered; of the clock's monotonic time. */
  get lastHeartbeatMs(): number {
    return this.#confirmedMs;
  }

  /** What the member was given last, perhaps long ago. */
  get claim(): Claim {
    return this.#claim;
  }

  /** What the coordinator may still know the member by. */
  get formerMemberId(): string | undefined {
    return this.#formerMemberId;
  }

  takenIn(memberId: string): void {
    this.#formerMemberId = memberId;
  }

  /** The coordinator knows this member no more. */
  forgotten(): void {
    this.#formerMemberId = undefined;
  }

  /** The member is about to join, to join again, or to leave: what it had is not its own any more. */
  left(): void {
    this.#synced = undefined;
    this.#assignment = undefined;
    this.#withdraw();
  }

  /** The group has a new generation, and the coordinator has told this member of its share. */
  synced(member: Synced): void {
    this.#synced = member;
  }

  /** kafkajs has taken the share over. Returns false when the member has begun to join again since. */
  joined(memberId: string, partitions: readonly TopicPartition[]): boolean {
    const synced = this.#synced;
    if (synced?.memberId !== memberId) return false;
    this.#withdraw();
    const { generationId, sentAtMs } = synced;
    this.#assignment = { memberId, generationId, partitions };
    this.#claim = { generationId, partitions: [...new Set(partitions.map(({ partition }) => partition))] };
    this.#confirm(sentAtMs);
    return true;
  }

  /** Whether the member has what it was given in `generationId`, doubted or not. */
  hasJoined(generationId: number): boolean {
    return this.#assignment?.generationId === generationId;
  }

  /** The coordinator has taken a heartbeat for `generationId`. A member that doubted itself is told anew what it has. */
  confirmed(generationId: number, sentAtMs: number): void {
    if (this.hasJoined(generationId)) this.#confirm(sentAtMs);
  }

  /** The coordinator has refused a heartbeat: the group goes on without `generationId`. */
  refused(generationId: number): void {
    if (this.hasJoined(generationId)) this.left();
  }

  #confirm(sentAtMs: number): void {
    this.#confirmedMs = Math.max(this.#confirmedMs, sentAtMs);
    if (this.#isTold || this.#assignment === undefined || !this.#isFresh()) return;
    this.#isTold = true;
    this.#checkLater();
    this.#listener.onAssigned(this.#assignment);
  }

  #withdraw(): void {
    this.#cancelCheck();
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#listener.onRevoked();
  }

  #isFresh(): boolean {
    return this.#clock.monotonicMs() - this.#confirmedMs < this.#doubtAfterMs;
  }

  #checkLater(): void {
    const restMs = this.#confirmedMs + this.#doubtAfterMs - this.#clock.monotonicMs();
    this.#cancelCheck = this.#clock.after(Math.max(1, Math.ceil(restMs)), () => {
      if (this.#isFresh()) this.#checkLater();
      else this.#withdraw();
    });
  }
}
