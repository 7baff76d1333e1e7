// Transactions one behind the other, each of one record and one offset.
import { systemClock } from '../../lib/clock.ts';
import { clusterOptions } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { GroupMembership } from '../../lib/kafka/consume/membership.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import type { GroupMember } from '../../lib/kafka/transact/transaction-requests.ts';
import { TransactionalProducer } from '../../lib/kafka/transact/transactional-producer.ts';
import { topicName } from '../../schemas/topics.ts';
import { aVerdict, openPlace, quantile, tell } from './place.ts';

const commits = 500;
const { kafka, values, writer } = await openPlace();
const groupId = `${values.topicPrefix}.commits`;
const topic = topicName(values.topicPrefix, 'verdict');
const assigned = Promise.withResolvers<GroupMember>();
const membership = new GroupMembership({
  kafka,
  groupId,
  topics: [topic],
  onAssigned: ({ memberId, generationId }) => assigned.resolve({ groupId, memberId, generationId }),
  onRevoked: () => undefined,
  onFailed: assigned.reject,
});
await membership.start();
const member = await assigned.promise;
const cluster = new Cluster(clusterOptions(values, 'imwatch-bench'));
const coordinators = new Coordinators(cluster);
const producer = new TransactionalProducer({
  cluster,
  coordinators,
  transactionalId: groupId,
  places: writer.places,
  clock: systemClock,
});
const { signal } = new AbortController();
await producer.initialise(signal);
const tookMs: number[] = [];
for (let number = 0; number < commits; number += 1) {
  const value = aVerdict(number, 1_000);
  const record = writer.recordOf({ topic: 'verdict', key: `${number}`, value, timestampMs: value.receivedAt });
  const beganMs = performance.now();
  await producer.commit({ records: [record], offsets: [{ topic, partition: 0, offset: number }], member }, signal);
  tookMs.push(performance.now() - beganMs);
}
tell({ commitP50Ms: quantile(tookMs, 0.5), commitP95Ms: quantile(tookMs, 0.95), commitMaxMs: Math.max(...tookMs) });
process.exit(0);
