import kafkajs, { type Cluster } from 'kafkajs';
import { asError } from '../../errors.ts';

// Node finds only some of kafkajs's exports by name.
const { KafkaJSError, KafkaJSProtocolError } = kafkajs;

/** What kafkajs asks the coordinator of a group; its types leave that out. */
interface Coordinator {
  isConnected(): boolean;
  joinGroup(request: { readonly memberId: string }): Promise<{ readonly memberId: string }>;
  syncGroup(request: { readonly memberId: string; readonly generationId: number }): Promise<unknown>;
  heartbeat(request: { readonly groupGenerationId: number }): Promise<unknown>;
  leaveGroup(request: { readonly memberId: string }): Promise<unknown>;
  offsetFetch(request: { readonly topics: readonly OffsetTopic[] }): Promise<unknown>;
}

interface OffsetTopic {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number }[];
}

export interface GroupRequestWatcher {
  /** What the member was called last, if the coordinator may still know it by that name. */
  formerMemberId(): string | undefined;
  /** Right before a JoinGroup is sent. @throws when nobody may join any more. */
  onJoining(): void;
  /** The coordinator has taken the member in, whatever comes of it. */
  onTakenIn(memberId: string): void;
  /** A SyncGroup has been answered. */
  onSynced(request: { readonly memberId: string; readonly generationId: number }, sentAtMs: number): void;
  /** Whether the member has what it was given in `generationId`; where it has not, it joins again in place of a heartbeat. */
  hasJoined(generationId: number): boolean;
  onHeartbeat(generationId: number, sentAtMs: number): void;
  /** A heartbeat has been answered with an error that means a new generation, or that the member is unknown. */
  onRefused(generationId: number): void;
  /** Right before a LeaveGroup is sent. */
  onLeaving(): void;
  /** The coordinator does not know the member any more, or never has. */
  onForgotten(): void;
}

const unknownMember = 'UNKNOWN_MEMBER_ID';
/** Errors in an answer to a heartbeat after which kafkajs joins again. */
const refusals = new Set([
  unknownMember,
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'FENCED_INSTANCE_ID',
]);

/**
 * Shows `watcher` each request by which a consumer of kafkajs keeps its membership.
 *
 * kafkajs's events are not enough. GROUP_JOIN has no generation. HEARTBEAT has it, but comes a second later. REBALANCING comes when
 * all fetchers have ended, up to `maxWaitTimeInMs` after the heartbeat that was refused, and not at all when a member is unknown or the
 * partitions of a topic have changed. CRASH comes when the group has been left already. The coordinator that kafkajs asks for sees all
 * of it in time, and `cluster` is what kafkajs gives to an assigner, one for each consumer.
 *
 * Four more things are done here. Joining is tried until it succeeds: where kafkajs's own try fails with what passes, as with a coordinator
 * that is still loading, it would go on with the generation before, or, without a member id, never join nor heartbeat again. And a member
 * that has left its generation sends no heartbeat for it, which a new coordinator would take without an objection. A heartbeat finds the coordinator anew when the connection is lost: kafkajs would go on asking the
 * broker that it was, until it gives the membership up. A new consumer joins as the member that one which has crashed was, so that the
 * group does not wait for that to time out. Offsets are not asked for, as kafkajs is to fetch nothing (it would leave the group when a
 * leader is away for a while).
 */
export function watchGroupRequests(cluster: Cluster, watcher: GroupRequestWatcher, nowMs: () => number): void {
  const find = cluster.findGroupCoordinator.bind(cluster);
  cluster.findGroupCoordinator = async (group) => {
    const coordinator = await find(group).catch(joinAgain);
    return watched(coordinator as unknown as Coordinator, {
      watcher,
      nowMs,
      findAgain: async () => (await find(group)) as unknown as Coordinator,
    }) as unknown as typeof coordinator;
  };
}

interface Watching {
  readonly watcher: GroupRequestWatcher;
  readonly nowMs: () => number;
  readonly findAgain: () => Promise<Coordinator>;
}

/** A broker that is `found` but for the requests that are watched. */
function watched(found: Coordinator, { watcher, nowMs, findAgain }: Watching): Coordinator {
  let current = found;
  const requests: Omit<Coordinator, 'isConnected'> = {
    joinGroup: async (request) => {
      watcher.onJoining();
      const memberId = request.memberId === '' ? (watcher.formerMemberId() ?? '') : request.memberId;
      try {
        const answer = await current.joinGroup({ ...request, memberId });
        watcher.onTakenIn(answer.memberId);
        return answer;
      } catch (error) {
        if (typeOf(error) === unknownMember) watcher.onForgotten();
        return joinAgain(error);
      }
    },
    syncGroup: async (request) => {
      const sentAtMs = nowMs();
      const answer = await current.syncGroup(request).catch(joinAgain);
      watcher.onSynced(request, sentAtMs);
      return answer;
    },
    heartbeat: async (request) => {
      if (!watcher.hasJoined(request.groupGenerationId)) throw leftGeneration();
      if (!current.isConnected()) current = await findAgain().catch(asPassing);
      const sentAtMs = nowMs();
      try {
        const answer = await current.heartbeat(request);
        watcher.onHeartbeat(request.groupGenerationId, sentAtMs);
        return answer;
      } catch (error) {
        if (refusals.has(typeOf(error))) watcher.onRefused(request.groupGenerationId);
        if (typeOf(error) === unknownMember) watcher.onForgotten();
        throw error;
      }
    },
    leaveGroup: async (request) => {
      watcher.onLeaving();
      const answer = await current.leaveGroup(request);
      watcher.onForgotten();
      return answer;
    },
    offsetFetch: async ({ topics }) => ({ responses: topics.map(offsetsOf) }),
  };
  return Object.assign(Object.create(found) as Coordinator, requests);
}

/** Any offset will do where nothing is fetched. */
function offsetsOf({ topic, partitions }: OffsetTopic) {
  return { topic, partitions: partitions.map(({ partition }) => ({ partition, offset: '0', errorCode: 0 })) };
}

/** Retries that are used up make kafkajs give up the membership, which its time-out does when it is time. */
function asPassing(error: unknown): never {
  throw new KafkaJSError(asError(error), { retriable: true });
}

/** What passes makes kafkajs join again; it does so by itself when the coordinator does not know the member. */
function joinAgain(error: unknown): never {
  const passes = error instanceof KafkaJSError && error.retriable && typeOf(error) !== unknownMember;
  throw passes ? Object.assign(leftGeneration(), { cause: error }) : error;
}

/** What makes kafkajs join again. */
function leftGeneration(): Error {
  const message = 'The member has left this generation';
  return new KafkaJSProtocolError(
    Object.assign(new Error(message), { type: 'REBALANCE_IN_PROGRESS', retriable: false }),
  );
}

function typeOf(error: unknown): string {
  return error instanceof Error && 'type' in error ? String(error.type) : '';
}
