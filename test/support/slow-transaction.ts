import { randomBytes } from 'node:crypto';
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  type Connection,
  endTxnV3,
  initProducerIdV4,
  txnOffsetCommitV3,
} from '@platformatic/kafka';
import { systemClock } from '../../lib/clock.ts';
import type { Cluster } from '../../lib/kafka/cluster.ts';
import type { CoordinatorKind, Coordinators } from '../../lib/kafka/coordinators.ts';
import type { OutgoingRecord, TopicPartition } from '../../lib/kafka/ports.ts';
import { groupByPartition } from '../../lib/kafka/produce/partition-batch.ts';
import { lastSequence, ProducerSession } from '../../lib/kafka/produce/producer-session.ts';
import { produceAll } from '../../lib/kafka/transact/produce-all.ts';
import { lastTransactionOf } from '../../lib/kafka/transact/unmarked.ts';
import { untilAnswered } from '../../lib/kafka/until-answered.ts';

/** Who commits offsets; nobody in particular when a test does not say. */
interface Committer {
  readonly memberId: string;
  readonly generationId: number;
}

/** A transaction, request by request, so that it stands still wherever a test wants it to. */
export class SlowTransaction {
  readonly id: string;
  readonly #coordinators: Coordinators;
  #producer: { readonly producerId: bigint; readonly producerEpoch: number } | undefined;

  constructor(coordinators: Coordinators, id = `transaction-${randomBytes(4).toString('hex')}`) {
    this.#coordinators = coordinators;
    this.id = id;
  }

  /** One that passes itself off as who has a transactional id. */
  static async asOwnerOf(id: string, coordinators: Coordinators): Promise<SlowTransaction> {
    const transaction = new SlowTransaction(coordinators, id);
    transaction.#producer = await transaction.#ask('transaction', id, (connection) =>
      lastTransactionOf(connection, id),
    );
    return transaction;
  }

  async begin(): Promise<void> {
    this.#producer = await this.#ask('transaction', this.id, (connection) =>
      initProducerIdV4.api.async(connection, this.id, 30_000),
    );
  }

  async commitOffset(
    groupId: string,
    { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: bigint },
    { memberId, generationId }: Committer = { memberId: '', generationId: -1 },
  ): Promise<void> {
    const [id, epoch] = this.#identity();
    await this.#ask('transaction', this.id, (connection) =>
      addOffsetsToTxnV3.api.async(connection, this.id, id, epoch, groupId),
    );
    await this.commitUnannounced(groupId, { topic, partition, offset }, { memberId, generationId });
  }

  /** As `commitOffset`, but the coordinator of transactions does not know of the group, so that its end leaves the offset pending. */
  async commitUnannounced(
    groupId: string,
    { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: bigint },
    { memberId, generationId }: Committer = { memberId: '', generationId: -1 },
  ): Promise<void> {
    const [id, epoch] = this.#identity();
    const partitions = [
      { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: null },
    ];
    const topics = [{ name: topic, partitions }];
    await this.#ask('group', groupId, (connection) =>
      txnOffsetCommitV3.api.async(connection, this.id, groupId, id, epoch, generationId, memberId, null, topics),
    );
  }

  /** Tells the coordinator that the transaction will write to a partition. */
  async announce({ topic, partition }: TopicPartition): Promise<void> {
    const [producerId, producerEpoch] = this.#identity();
    const topics = [{ name: topic, partitions: [partition] }];
    const transaction = { transactionalId: this.id, producerId, producerEpoch, verifyOnly: false, topics };
    await this.#ask('transaction', this.id, (connection) => addPartitionsToTxnV3.api.async(connection, [transaction]));
  }

  /** Writes records; where that was not announced, the end of the transaction leaves it open. */
  async write(cluster: Cluster, records: readonly OutgoingRecord[]): Promise<void> {
    const [id, epoch] = this.#identity();
    await produceAll({
      cluster,
      transactionalId: this.id,
      session: new ProducerSession(id, epoch, lastSequence, true),
      groups: groupByPartition(records),
      untilMs: systemClock.monotonicMs() + 10_000,
      clock: systemClock,
      signal: new AbortController().signal,
    });
  }

  async end(committed: boolean): Promise<void> {
    const [id, epoch] = this.#identity();
    await this.#ask('transaction', this.id, (connection) =>
      endTxnV3.api.async(connection, this.id, id, epoch, committed),
    );
  }

  #identity(): readonly [id: bigint, epoch: number] {
    if (this.#producer === undefined) throw new Error('The transaction has not begun');
    return [this.#producer.producerId, this.#producer.producerEpoch];
  }

  /** Coordinators of a cluster that has just begun are on their way for a while. */
  #ask<T>(kind: CoordinatorKind, key: string, request: (connection: Connection) => Promise<T>): Promise<T> {
    return untilAnswered(new AbortController().signal, async () => {
      try {
        return await request(await this.#coordinators.connectionTo(kind, key));
      } catch (error) {
        this.#coordinators.forget(kind, key);
        throw error;
      }
    });
  }
}
