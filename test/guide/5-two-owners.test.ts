import { expect, it } from 'vitest';
import { systemClock } from '../../lib/clock.ts';
import { clusterOptions } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { GroupMembership } from '../../lib/kafka/consume/membership.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { FencedError, NotMemberError } from '../../lib/kafka/transact/errors.ts';
import type { GroupMember } from '../../lib/kafka/transact/transaction-requests.ts';
import { TransactionalProducer } from '../../lib/kafka/transact/transactional-producer.ts';
import { aPlace } from './place.ts';

const { signal } = new AbortController();

/**
 * Chapter 5. A process can stand still at any point: a long collection of garbage, a machine that is suspended. The group gives its partitions
 * to somebody else, and then it goes on where it stood, sure that they are its own. Two locks keep it from doing harm, and Kafka holds both:
 * the transactional id, which the new owner takes, and the generation of the group, which each commit names.
 */
it('an owner that was frozen can commit nothing, once somebody else has taken the partition', async () => {
  const place = await aPlace();
  const groupId = `${place.values.topicPrefix}.guide`;
  const offsets = [{ topic: place.verdicts, partition: 0, offset: 1 }];

  /** Joins the group, and takes the transactional id of partition 0. */
  const anOwner = async () => {
    const assigned = Promise.withResolvers<GroupMember>();
    const membership = new GroupMembership({
      kafka: place.kafka,
      groupId,
      topics: [place.verdicts],
      onAssigned: ({ memberId, generationId }) => assigned.resolve({ groupId, memberId, generationId }),
      onRevoked: () => undefined,
      onFailed: assigned.reject,
    });
    await membership.start();
    const member = await assigned.promise;
    const cluster = new Cluster(clusterOptions(place.values, 'imwatch-guide'));
    const coordinators = new Coordinators(cluster);
    const transactionalId = `${groupId}/${place.verdicts}/0`;
    const places = [{ topic: place.verdicts, partition: 0 }];
    const producer = new TransactionalProducer({ cluster, coordinators, transactionalId, places, clock: systemClock });
    await producer.initialise(signal);
    const end = async () => {
      await membership.stop();
      await cluster.close();
    };
    return { member, producer, end };
  };

  const frozen = await anOwner();
  await frozen.producer.commit({ records: [], offsets, member: frozen.member }, signal);
  // While it stands still, the group goes on: another generation, another owner.
  const next = await anOwner();
  await expect(frozen.producer.commit({ records: [], offsets, member: frozen.member }, signal)).rejects.toThrow(
    FencedError,
  );

  // And had nobody taken the id yet, its generation alone would give it away.
  const late = { ...next.member, generationId: next.member.generationId - 1 };
  await expect(next.producer.commit({ records: [], offsets, member: late }, signal)).rejects.toThrow(NotMemberError);
  await next.producer.commit({ records: [], offsets, member: next.member }, signal);
  await Promise.all([frozen.end(), next.end()]);
  await place.end();
});
