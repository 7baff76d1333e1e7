import { type Connection, describeProducersV0, describeTransactionsV0 } from '@platformatic/kafka';
import type { Clock } from '../../clock.ts';
import { KafkaRequestError } from '../admin.ts';
import type { Cluster } from '../cluster.ts';
import { errorNamesOf } from '../kafka-errors.ts';
import type { TopicPartition } from '../ports.ts';
import { untilAnswered } from '../until-answered.ts';
import type { Outcome } from './transaction-requests.ts';

/** What the coordinator knows of the last transaction of an id. */
export interface LastTransaction {
  /** `none`: there was none since the id was taken last, or the coordinator has forgotten it. `ending`: its marks are being written. */
  readonly state: 'none' | 'open' | 'ending' | 'over';
  /** Of one that is over. */
  readonly outcome?: Outcome;
  /** Who has the id; -1 when nobody ever had. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A partition in which a transaction is open. */
export interface OpenPlace extends TopicPartition {
  readonly producerEpoch: number;
}

const states: Readonly<Record<string, Pick<LastTransaction, 'state' | 'outcome'>>> = {
  Empty: { state: 'none' },
  Dead: { state: 'none' },
  Ongoing: { state: 'open' },
  PrepareEpochFence: { state: 'ending' },
  PrepareCommit: { state: 'ending' },
  PrepareAbort: { state: 'ending' },
  CompleteCommit: { state: 'over', outcome: 'committed' },
  CompleteAbort: { state: 'over', outcome: 'aborted' },
};

/** @throws {KafkaRequestError} for a state that this code has never heard of. */
export async function lastTransactionOf(connection: Connection, transactionalId: string): Promise<LastTransaction> {
  try {
    const { transactionStates } = await describeTransactionsV0.api.async(connection, [transactionalId]);
    const [{ transactionState = '', producerId = -1n, producerEpoch = -1 } = {}] = transactionStates;
    const known = states[transactionState];
    if (known === undefined) throw new KafkaRequestError(`Kafka: a transaction is in the state "${transactionState}"`);
    return { ...known, producerId, producerEpoch };
  } catch (error) {
    if (!errorNamesOf(error).has('TRANSACTIONAL_ID_NOT_FOUND')) throw error;
    return { state: 'none', producerId: -1n, producerEpoch: -1 };
  }
}

/**
 * Whether the transaction that is open in a partition is the last one of its id, so that what is known of that holds for it. Each owner of an
 * id has an epoch of its own, and so has an end that the coordinator brings about by itself.
 */
export function isOfLast({ producerEpoch }: OpenPlace, last: LastTransaction): boolean {
  if (last.state === 'none') return false;
  const isAbortedByCoordinator = last.outcome === 'aborted' && producerEpoch === last.producerEpoch - 1;
  return producerEpoch === last.producerEpoch || isAbortedByCoordinator;
}

export interface OpenPlacesOptions {
  readonly cluster: Cluster;
  readonly producerId: bigint;
  readonly places: readonly TopicPartition[];
  /** How long leaders that are away are waited for. */
  readonly withinMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Those of `places` in which a transaction of a producer id is open. Where its coordinator says that it is over, its mark is missing there.
 *
 * @throws the reason of `signal` once that is aborted; {KafkaRequestError} for what does not pass, or not in time.
 */
export async function openPlacesOf({
  cluster,
  producerId,
  places,
  withinMs,
  clock,
  signal,
}: OpenPlacesOptions): Promise<readonly OpenPlace[]> {
  const topics = [...new Set(places.map(({ topic }) => topic))];
  const isAway = ({ topic, partition }: TopicPartition): boolean => (cluster.leaderOf(topic, partition) ?? -1) < 0;
  const late = new AbortController();
  const cancel = clock.after(withinMs, () => {
    const [away] = places.filter(isAway);
    const why = away === undefined ? 'no answer' : `${away.topic}/${away.partition} has no leader`;
    late.abort(new KafkaRequestError(`Kafka: where a transaction is open is not known: ${why}`));
  });
  try {
    return await untilAnswered(AbortSignal.any([signal, late.signal]), async () => {
      if (places.some(isAway)) await cluster.refresh(topics);
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
  } finally {
    cancel();
  }
}

async function openAt(
  cluster: Cluster,
  leader: number,
  producerId: bigint,
  places: readonly TopicPartition[],
): Promise<readonly OpenPlace[]> {
  if (leader < 0) throw new KafkaRequestError('Kafka: partitions have no leader');
  const wanted = Array.from(
    Map.groupBy(places, ({ topic }) => topic),
    ([name, theirs]) => ({ name, partitionIndexes: theirs.map(({ partition }) => partition) }),
  );
  const { topics } = await describeProducersV0.api.async(await cluster.connectionTo(leader), wanted);
  return topics.flatMap(({ name, partitions }) =>
    partitions.flatMap(({ partitionIndex, activeProducers }) => {
      const open = activeProducers.find((each) => each.producerId === producerId && each.currentTxnStartOffset >= 0n);
      return open === undefined ? [] : [{ topic: name, partition: partitionIndex, producerEpoch: open.producerEpoch }];
    }),
  );
}
