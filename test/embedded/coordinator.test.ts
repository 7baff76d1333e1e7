import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { readSettings } from '../../lib/config/read.ts';
import { withAdmin } from '../../lib/kafka/admin.ts';
import { clusterOptions, createKafka } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { GroupMembership } from '../../lib/kafka/consume/membership.ts';
import { committedOffsets, offsetRanges } from '../../lib/kafka/consume/partition-offsets.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { silentLogger } from '../../lib/logger.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { type OwnCluster, startOwnCluster } from '../support/own-cluster.ts';
import { SlowTransaction } from '../support/slow-transaction.ts';

const [topic, groupId] = ['sent', 'readers'];
const partitions = [0, 1, 2, 3];
const waitMs = { timeout: 60_000, interval: 50 };

describe.skipIf(noEmbedded !== undefined)(`a group whose coordinator dies for good${skipNote}`, () => {
  let own: OwnCluster;
  let cluster: Cluster;
  const values = () => readSettings(kafkaSettings, { env: own.settings, file: {}, running: {} });

  beforeAll(async () => {
    own = await startOwnCluster(3);
    cluster = new Cluster(clusterOptions(values(), 'imwatch-test'));
    await withAdmin(createKafka(values(), 'imwatch-test', silentLogger), (admin) =>
      admin.createTopics({
        topics: [{ topic, numPartitions: partitions.length, replicationFactor: 3 }],
        waitForLeaders: true,
      }),
    );
  });
  afterAll(async () => {
    await cluster.close();
    await own.stop();
  });

  it('goes on at another one, with its members, its offsets and the leaders of its partitions', async () => {
    const coordinators = new Coordinators(cluster);
    const transaction = new SlowTransaction(coordinators);
    await transaction.begin();
    await transaction.commitOffset(groupId, { topic, partition: 1, offset: 7n });
    await transaction.end(true);
    const failures: Error[] = [];
    const members = ['a', 'b'].map(
      (name) =>
        new GroupMembership({
          kafka: createKafka(values(), name, silentLogger),
          groupId,
          topics: [topic],
          onAssigned: () => undefined,
          onRevoked: () => undefined,
          onFailed: (error) => failures.push(error),
        }),
    );
    await Promise.all(members.map((member) => member.start()));
    await expect.poll(() => members.map(({ isMember }) => isMember), waitMs).toEqual([true, true]);

    const { port } = await coordinators.connectionTo('group', groupId);
    const addresses = own.settings.KAFKA_BROKERS.split(',');
    const coordinator = own.brokers[addresses.indexOf(`127.0.0.1:${port}`)];
    expect(coordinator).toBeDefined();
    await coordinator?.kill();
    const killedMs = systemClock.monotonicMs();
    const signal = AbortSignal.timeout(60_000);
    const [offsets, ranges] = await Promise.all([
      committedOffsets({ coordinators, groupId, topic, partitions, signal }),
      offsetRanges({ cluster, topic, partitions, signal }),
    ]);
    expect(offsets).toEqual(
      new Map([
        [0, undefined],
        [1, 7],
        [2, undefined],
        [3, undefined],
      ]),
    );
    expect(ranges).toEqual(new Map(partitions.map((partition) => [partition, { begin: 0, stableEnd: 0 }])));
    await expect
      .poll(() => members.map((member) => member.isMember && member.lastHeartbeatMs > killedMs), waitMs)
      .toEqual([true, true]);
    await Promise.all(members.map((member) => member.stop()));
    expect(failures).toEqual([]);
  });
});
