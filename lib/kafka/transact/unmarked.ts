import { type Connection, describeProducersV0, describeTransactionsV0 } from '@platformatic/kafka';
import { KafkaRequestError } from '../admin.ts';
import type { Cluster } from '../cluster.ts';
import { errorNamesOf } from '../kafka-errors.ts';
import type { TopicPartition } from '../ports.ts';
import { untilAnswered } from '../until-answered.ts';

/** What a transaction comes to. */
export type Outcome = 'committed' | 'aborted';

export interface LastTransaction {
  /** `undefined`: there was none since the id was taken last, or the coordinator has forgotten it. */
  readonly outcome: Outcome | undefined;
  /** Whether its marks are still being written. */
  readonly isEnding: boolean;
}

/** What the coordinator says of the last transaction of an id; one that is open is aborted by whoever takes the id. */
export async function lastTransactionOf(connection: Connection, transactionalId: string): Promise<LastTransaction> {
  try {
    const { transactionStates } = await describeTransactionsV0.api.async(connection, [transactionalId]);
    const state = transactionStates[0]?.transactionState ?? '';
    return { outcome: outcomes.get(state), isEnding: state.startsWith('Prepare') };
  } catch (error) {
    if (!errorNamesOf(error).has('TRANSACTIONAL_ID_NOT_FOUND')) throw error;
    return { outcome: undefined, isEnding: false };
  }
}

const outcomes: ReadonlyMap<string, Outcome> = new Map([
  ['PrepareCommit', 'committed'],
  ['CompleteCommit', 'committed'],
  ['Ongoing', 'aborted'],
  ['PrepareEpochFence', 'aborted'],
  ['PrepareAbort', 'aborted'],
  ['CompleteAbort', 'aborted'],
]);

/**
 * Those of `places` in which a transaction of a producer id is open. Where its coordinator says that it is over, its mark is missing
 * there. Leaders that are away are waited for.
 *
 * @throws the reason of `signal` once that is aborted; {KafkaRequestError} for what does not pass.
 */
export async function openPlacesOf(options: {
  readonly cluster: Cluster;
  readonly producerId: bigint;
  readonly places: readonly TopicPartition[];
  readonly signal: AbortSignal;
}): Promise<readonly TopicPartition[]> {
  const { cluster, producerId, places, signal } = options;
  const topics = [...new Set(places.map(({ topic }) => topic))];
  return untilAnswered(signal, async () => {
    if (places.some(({ topic, partition }) => (cluster.leaderOf(topic, partition) ?? -1) < 0)) {
      await cluster.refresh(topics);
    }
    try {
      const byLeader = Map.groupBy(places, ({ topic, partition }) => cluster.leaderOf(topic, partition) ?? -1);
      const open = await Promise.all(
        Array.from(byLeader, ([leader, theirs]) => openAt(cluster, leader, producerId, theirs)),
      );
      return open.flat();
    } catch (error) {
      await cluster.refresh(topics);
      throw error;
    }
  });
}

async function openAt(
  cluster: Cluster,
  leader: number,
  producerId: bigint,
  places: readonly TopicPartition[],
): Promise<readonly TopicPartition[]> {
  if (leader < 0) throw new KafkaRequestError('Kafka: partitions have no leader');
  const wanted = Array.from(
    Map.groupBy(places, ({ topic }) => topic),
    ([name, theirs]) => ({ name, partitionIndexes: theirs.map(({ partition }) => partition) }),
  );
  const { topics } = await describeProducersV0.api.async(await cluster.connectionTo(leader), wanted);
  return topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ activeProducers }) =>
        activeProducers.some((each) => each.producerId === producerId && each.currentTxnStartOffset >= 0n),
      )
      .map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
  );
}
