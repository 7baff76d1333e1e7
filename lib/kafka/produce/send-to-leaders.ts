import { type Connection, protocolErrorsCodesById, Writer } from '@platformatic/kafka';
import { messageOf } from '../../errors.ts';
import type { Cluster } from '../cluster.ts';
import { byTopic, type PartitionBatch } from './partition-batch.ts';
import { encodeProduceRequest, produceVersion } from './produce-request.ts';
import { type PartitionOutcome, readProduceResponse } from './produce-response.ts';

const produceApiKey = 0;
/** How long a broker may wait for its replicas. */
export const acknowledgeMs = 10_000;
/** The broker has a batch with this identity already. */
const duplicateSequence = 'DUPLICATE_SEQUENCE_NUMBER';

/** A batch that is not acknowledged. */
export interface Failure {
  readonly batch: PartitionBatch;
  /** Name of Kafka's error; `undefined` when there was no answer. */
  readonly errorName: string | undefined;
  readonly message: string;
}

/** A batch that all in-sync replicas have. */
export interface Written {
  readonly batch: PartitionBatch;
  /** Offset of its first record; `undefined` when the broker has not told. */
  readonly baseOffset: number | undefined;
}

export interface Sent {
  readonly failures: readonly Failure[];
  readonly written: readonly Written[];
}

/**
 * Sends each batch to the leader of its partition, once; a partition whose leader is not known is a failure.
 *
 * @param transactionalId of the transaction that the batches belong to.
 */
export async function sendToLeaders(
  cluster: Cluster,
  batches: readonly PartitionBatch[],
  transactionalId: string | null = null,
): Promise<Sent> {
  const byLeader = new Map<number, PartitionBatch[]>();
  const failures: Failure[] = [];
  for (const batch of batches) {
    const leader = cluster.leaderOf(batch.topic, batch.partition);
    if (leader === undefined || leader < 0) {
      failures.push({ batch, errorName: undefined, message: 'the partition has no leader' });
      continue;
    }
    const present = byLeader.get(leader);
    if (present === undefined) byLeader.set(leader, [batch]);
    else present.push(batch);
  }
  const sent = await Promise.all(
    Array.from(byLeader, ([leader, theirs]) => sendTo(cluster, leader, theirs, transactionalId)),
  );
  return {
    failures: failures.concat(...sent.map((each) => each.failures)),
    written: sent.flatMap(({ written }) => written),
  };
}

async function sendTo(
  cluster: Cluster,
  leader: number,
  batches: readonly PartitionBatch[],
  transactionalId: string | null,
): Promise<Sent> {
  try {
    const connection = await cluster.connectionTo(leader);
    const body = encodeProduceRequest(byTopic(batches), acknowledgeMs, transactionalId);
    return sentOf(batches, await request(connection, body));
  } catch (error) {
    const message = messageOf(error);
    return { failures: batches.map((batch) => ({ batch, errorName: undefined, message })), written: [] };
  }
}

function request(connection: Connection, body: Buffer): Promise<readonly PartitionOutcome[]> {
  return new Promise((resolve, reject) => {
    connection.send(
      produceApiKey,
      produceVersion,
      () => Writer.create().append(body),
      (_correlationId, _apiKey, _version, reader) => readProduceResponse(reader),
      true,
      true,
      (error, outcomes) => (error === null && outcomes !== undefined ? resolve(outcomes) : reject(error)),
    );
  });
}

function sentOf(batches: readonly PartitionBatch[], outcomes: readonly PartitionOutcome[]): Sent {
  const failures: Failure[] = [];
  const written: Written[] = [];
  for (const batch of batches) {
    const outcome = outcomes.find(({ topic, partition }) => topic === batch.topic && partition === batch.partition);
    const errorName = outcome === undefined ? undefined : (protocolErrorsCodesById[outcome.errorCode] ?? 'UNKNOWN');
    if (outcome?.errorCode === 0 || errorName === duplicateSequence) {
      const baseOffset = outcome === undefined || outcome.baseOffset < 0n ? undefined : Number(outcome.baseOffset);
      written.push({ batch, baseOffset });
      continue;
    }
    const detail = outcome?.detail ?? undefined;
    const message = [errorName ?? 'the broker has not answered for it', detail].filter(Boolean).join(': ');
    failures.push({ batch, errorName, message });
  }
  return { failures, written };
}
