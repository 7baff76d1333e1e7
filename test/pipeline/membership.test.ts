import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import kafkajs, { type ISocketFactory } from 'kafkajs';
import { afterEach, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { readSettings } from '../../lib/config/read.ts';
import { KafkaRequestError, withAdmin } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { copartitionAssigner } from '../../lib/kafka/consume/copartition-assigner.ts';
import { GroupMembership, type GroupMembershipOptions } from '../../lib/kafka/consume/membership.ts';
import type { GroupAssignment } from '../../lib/kafka/consume/membership-state.ts';
import { committedOffsets } from '../../lib/kafka/consume/partition-offsets.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { MemberNews, MemberOrder } from '../support/group-member.ts';
import { MovingCoordinator } from '../support/moving-coordinator.ts';
import { unusedPort } from '../support/pipeline.ts';
import { SlowTransaction } from '../support/slow-transaction.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const partitions = 12;
const waitMs = { timeout: 30_000, interval: 20 };
const values = (more: Readonly<Record<string, string>> = {}) =>
  readSettings(kafkaSettings, { env: { ...inject('cluster'), ...more }, file: {}, running: {} });
const unique = (name: string): string => `${name}-${randomBytes(4).toString('hex')}`;

describe('the members of a group', () => {
  const topics = [unique('sent'), unique('verdicts')];
  /** What has been told, in order, by all members of a test. */
  let log: { readonly who: string; readonly what: 'assigned' | 'revoked'; readonly generationId: number }[] = [];
  let members: Member[] = [];

  /** A member that keeps book of what it owns, and fails the test at once when somebody else owns it too. */
  class Member {
    readonly membership: GroupMembership;
    readonly failures: Error[] = [];
    assignment: GroupAssignment | undefined;

    constructor(who: string, groupId: string, more: Partial<GroupMembershipOptions> = {}) {
      this.membership = new GroupMembership({
        kafka: createKafka(values(), 'imwatch-test', silentLogger),
        groupId,
        topics,
        sessionTimeoutMs: 6_000,
        heartbeatIntervalMs: 300,
        onAssigned: (assignment) => {
          this.assignment = assignment;
          log.push({ who, what: 'assigned', generationId: assignment.generationId });
        },
        onRevoked: () => {
          log.push({ who, what: 'revoked', generationId: this.assignment?.generationId ?? -1 });
          this.assignment = undefined;
        },
        onFailed: (error) => this.failures.push(error),
        ...more,
      });
      members.push(this);
    }

    owned(topic: string): readonly number[] {
      const mine = this.assignment?.partitions ?? [];
      return mine.filter((each) => each.topic === topic).map(({ partition }) => partition);
    }
  }

  beforeAll(async () => {
    await withAdmin(createKafka(values(), 'imwatch-test', silentLogger), (admin) =>
      admin.createTopics({
        topics: topics.map((topic) => ({ topic, numPartitions: partitions, replicationFactor: 1 })),
        waitForLeaders: true,
      }),
    );
  });
  afterEach(async () => {
    await Promise.all(members.map(({ membership }) => membership.stop()));
    const failures = members.flatMap((member) => member.failures);
    members = [];
    log = [];
    expect(failures).toEqual([]);
  });

  /** Resolves when `owners` are all of one generation and share every partition of every topic, each of them once and evenly. */
  async function shared(owners: readonly Member[]): Promise<void> {
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const now = () => ({
      generations: new Set(owners.map(({ assignment }) => assignment?.generationId)).size,
      owned: topics.map((topic) => owners.flatMap((owner) => owner.owned(topic)).toSorted((a, b) => a - b)),
      sizes: new Set(owners.map((owner) => owner.owned(topics[0] ?? '').length)),
    });
    await expect
      .poll(now, waitMs)
      .toEqual({ generations: 1, owned: topics.map(() => all), sizes: new Set([partitions / owners.length]) });
    for (const owner of owners) expect(owner.owned(topics[1] ?? '')).toEqual(owner.owned(topics[0] ?? ''));
  }

  /** Nobody has been assigned anything of a generation while somebody else still had something of an earlier one. */
  function expectRevokedFirst(): void {
    const holding = new Map<string, number>();
    for (const { who, what, generationId } of log) {
      if (what === 'revoked') holding.delete(who);
      else holding.set(who, generationId);
      expect(new Set(holding.values()).size, JSON.stringify(log)).toBeLessThanOrEqual(1);
    }
  }

  async function started(groupId: string, ...names: readonly string[]): Promise<readonly Member[]> {
    const members = names.map((name) => new Member(name, groupId));
    await Promise.all(members.map(({ membership }) => membership.start()));
    return members;
  }

  it('share all partitions, one, two and four of them and back, each told of its end before another of its beginning', async () => {
    const groupId = unique('group');
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => new Member(name, groupId));
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('no members');
    await a.membership.start();
    await shared([a]);
    await b.membership.start();
    await shared([a, b]);
    const before = [a.owned(topics[0] ?? ''), b.owned(topics[0] ?? '')];
    await Promise.all([c.membership.start(), d.membership.start()]);
    await shared([a, b, c, d]);
    const after = [a.owned(topics[0] ?? ''), b.owned(topics[0] ?? '')];
    for (const [index, kept] of after.entries()) expect(before[index]).toEqual(expect.arrayContaining([...kept]));
    await c.membership.stop();
    expect(c.membership.isMember).toBe(false);
    await d.membership.stop();
    await shared([a, b]);
    await a.membership.stop();
    await shared([b]);
    expectRevokedFirst();
  });

  it('know their generation: a transaction takes its offsets, and not those of the one before', async () => {
    const groupId = unique('group');
    const cluster = new Cluster(clusterOptions(values(), 'imwatch-test'));
    const coordinators = new Coordinators(cluster);
    const [a] = await started(groupId, 'a');
    if (a === undefined) throw new Error('no member');
    await shared([a]);
    const { memberId = '', generationId = -1 } = a.assignment ?? {};
    const [topic = ''] = topics;
    const transaction = new SlowTransaction(coordinators);
    await transaction.begin();
    const commit = (offset: bigint, by: { readonly memberId: string; readonly generationId: number }) =>
      transaction.commitOffset(groupId, { topic, partition: 0, offset }, by);
    await expect(commit(1n, { memberId, generationId: generationId - 1 })).rejects.toMatchObject({
      cause: { errors: [{ apiId: 'ILLEGAL_GENERATION' }] },
    });
    await expect(commit(2n, { memberId: 'somebody', generationId })).rejects.toMatchObject({
      cause: { errors: [{ apiId: 'UNKNOWN_MEMBER_ID' }] },
    });
    await commit(3n, { memberId, generationId });
    await transaction.end(true);
    const signal = AbortSignal.timeout(10_000);
    const offsets = await committedOffsets({ coordinators, groupId, topic, partitions: [0], signal });
    expect(offsets).toEqual(new Map([[0, 3]]));
    await cluster.close();
  });

  it.each([
    ['when their coordinator moves', 'move'],
    ['when their coordinator does not know them', 'forget'],
  ] as const)('join again however often it takes %s, and is still loading when they ask it', async (_when, what) => {
    const coordinator = new MovingCoordinator();
    const kafka = coordinator.of(createKafka(values(), 'imwatch-test', silentLogger));
    const a = new Member('a', unique('group'), { kafka });
    await a.membership.start();
    await shared([a]);
    const before = a.assignment?.generationId;
    coordinator[what]();
    await expect.poll(() => coordinator.refusalsLeft, waitMs).toBe(0);
    await expect.poll(() => a.assignment?.generationId ?? before, waitMs).not.toBe(before);
    await shared([a]);
    expectRevokedFirst();
  });

  it('are told anew when they rejoin, as somebody else', async () => {
    const [a] = await started(unique('group'), 'a');
    if (a === undefined) throw new Error('no member');
    await shared([a]);
    const before = a.assignment?.memberId;
    const rejoined = a.membership.rejoin();
    expect(a.membership.isMember).toBe(false);
    expect(log.map(({ what }) => what)).toEqual(['assigned', 'revoked']);
    await rejoined;
    await shared([a]);
    expect(a.membership.isMember).toBe(true);
    expect(a.assignment?.memberId).not.toBe(before);
    expect(log.map(({ what }) => what)).toEqual(['assigned', 'revoked', 'assigned']);
  });

  it('heartbeat as long as nothing is the matter', async () => {
    const [a, b] = await started(unique('group'), 'a', 'b');
    if (a === undefined || b === undefined) throw new Error('no members');
    await shared([a, b]);
    const [toldBefore, { lastHeartbeatMs }] = [log.length, a.membership];
    await expect.poll(() => a.membership.lastHeartbeatMs - lastHeartbeatMs, waitMs).toBeGreaterThan(6_500);
    expect(systemClock.monotonicMs() - a.membership.lastHeartbeatMs).toBeLessThan(2_000);
    expect(log.length).toBe(toldBefore);
  });

  it('fetch nothing', async () => {
    const kafka = createKafka(values(), 'imwatch-test', silentLogger);
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: topics[0] ?? '', messages: [{ partition: 0, value: 'a record' }] });
    await producer.disconnect();
    let fetches = 0;
    const assigner: GroupMembershipOptions['assigner'] = (claim) => (config) => {
      const { cluster } = config;
      const find = cluster.findBroker.bind(cluster);
      cluster.findBroker = async (node) => {
        const broker = await find(node);
        const fetch = broker.fetch.bind(broker);
        broker.fetch = (request) => {
          fetches += 1;
          return fetch(request);
        };
        return broker;
      };
      return copartitionAssigner(claim)(config);
    };
    const a = new Member('a', unique('group'), { assigner });
    await a.membership.start();
    await shared([a]);
    const { lastHeartbeatMs } = a.membership;
    await expect.poll(() => a.membership.lastHeartbeatMs - lastHeartbeatMs, waitMs).toBeGreaterThan(1_500);
    expect(fetches).toBe(0);
  });

  it('lose what they have when their loop is blocked, and know it before anything else', async () => {
    const groupId = unique('group');
    const { KAFKA_BROKERS: brokers = '' } = inject('cluster');
    const script = join(import.meta.dirname, '../support/group-member.ts');
    const child: ChildProcess = fork(script, [brokers, groupId, ...topics]);
    onTestFinished(() => void child.kill('SIGKILL'));
    const news: MemberNews[] = [];
    child.on('message', (each: MemberNews) => news.push(each));
    const [a] = await started(groupId, 'a');
    if (a === undefined) throw new Error('no member');
    const half = partitions / 2;
    await expect
      .poll(() => [a.owned(topics[0] ?? '').length, news.at(-1)?.partitions?.length], waitMs)
      .toEqual([half, half * topics.length]);
    const before = news.length;
    const order: MemberOrder = { blockMs: 9_000 };
    child.send(order);
    await expect.poll(() => a.owned(topics[0] ?? '').length, waitMs).toBe(partitions);
    const takenAtMs = Date.now();
    const since = () => news.slice(before);
    await expect
      .poll(() => since().map(({ what, isMember }) => [what, isMember]), waitMs)
      .toEqual([
        ['woken', false],
        ['revoked', false],
        ['assigned', true],
      ]);
    const [woken, revoked] = since();
    expect(woken?.atMs).toBeGreaterThan(takenAtMs);
    expect((revoked?.atMs ?? 0) - (woken?.atMs ?? 0)).toBeLessThan(100);
    child.disconnect();
    await once(child, 'exit');
  });

  describe('on a way to the broker that can be cut', () => {
    /** kafkajs goes to wherever brokers say that they are, so the way is laid below it. */
    async function proxied() {
      const [broker = ''] = values().brokers ?? [];
      const proxy = new TcpProxy(await unusedPort(), broker);
      await proxy.open();
      onTestFinished(() => proxy.cut());
      const socketFactory: ISocketFactory = ({ onConnect }) => connect(proxy.port, '127.0.0.1', onConnect);
      const retry = { initialRetryTime: 100, retries: 5 };
      const kafka = new kafkajs.Kafka({ brokers: [broker], socketFactory, retry, logLevel: kafkajs.logLevel.NOTHING });
      return { proxy, kafka };
    }

    it('stay members when connections are lost for a moment', async () => {
      const { proxy, kafka } = await proxied();
      const a = new Member('a', unique('group'), { kafka });
      await a.membership.start();
      await shared([a]);
      await proxy.cut();
      const { lastHeartbeatMs } = a.membership;
      await proxy.open();
      await expect.poll(() => a.membership.lastHeartbeatMs, waitMs).toBeGreaterThan(lastHeartbeatMs);
      expect(log.map(({ what }) => what)).toEqual(['assigned']);
    });

    it('doubt themselves before the group goes on without them, and come back', async () => {
      const { proxy, kafka } = await proxied();
      const groupId = unique('group');
      const a = new Member('a', groupId, { kafka });
      await a.membership.start();
      const [b] = await started(groupId, 'b');
      if (b === undefined) throw new Error('no member');
      await shared([a, b]);
      log.splice(0);
      await proxy.cut();
      await shared([b]);
      expect(a.membership.isMember).toBe(false);
      expect(log.map(({ who, what }) => `${who} ${what}`)).toEqual(['a revoked', 'b revoked', 'b assigned']);
      await proxy.open();
      await shared([a, b]);
    });

    it('are waited for by nobody once they have stopped, even while the broker is away', async () => {
      const { proxy, kafka } = await proxied();
      const a = new Member('a', unique('group'), { kafka });
      await a.membership.start();
      await shared([a]);
      await proxy.cut();
      const begunMs = systemClock.monotonicMs();
      await a.membership.stop();
      expect(systemClock.monotonicMs() - begunMs).toBeLessThan(4_000);
      expect(log.map(({ what }) => what)).toEqual(['assigned', 'revoked']);
    });
  });

  it('are replaced when kafkajs gives up for a reason that passes', async () => {
    const a = new Member('a', unique('group'), { assigner: failingOnce(new kafkajs.KafkaJSError('later')) });
    const begunMs = systemClock.monotonicMs();
    await a.membership.start();
    await shared([a]);
    // The group takes the new one for the old one, for which it would wait 6 s.
    expect(systemClock.monotonicMs() - begunMs).toBeLessThan(5_000);
  });

  it('say so when it gives up for one that does not', async () => {
    const failures: Error[] = [];
    const assigner = failingOnce(new kafkajs.KafkaJSNonRetriableError('never'));
    const a = new Member('a', unique('group'), { assigner, onFailed: (error) => failures.push(error) });
    await a.membership.start();
    await expect.poll(() => failures.map(({ message }) => message), waitMs).toEqual(['never']);
    expect(a.membership.isMember).toBe(false);
  });

  it('cannot start without a broker, nor without the topics', async () => {
    const nowhere = createKafka(values({ KAFKA_BROKERS: `127.0.0.1:${await unusedPort()}` }), 'x', silentLogger);
    const away = new Member('away', unique('group'), { kafka: nowhere });
    await expect(away.membership.start()).rejects.toThrow(KafkaRequestError);
    const missing = new Member('missing', unique('group'), { topics: [unique('no-such-topic')] });
    await expect(missing.membership.start()).rejects.toThrow(KafkaRequestError);
  });
});

/** The assigner, whose first assignment fails. */
function failingOnce(error: Error): NonNullable<GroupMembershipOptions['assigner']> {
  let hasFailed = false;
  return (claim) => (config) => {
    const assigner = copartitionAssigner(claim)(config);
    const assign: typeof assigner.assign = (group) => {
      if (hasFailed) return assigner.assign(group);
      hasFailed = true;
      return Promise.reject(error);
    };
    return { ...assigner, assign };
  };
}
