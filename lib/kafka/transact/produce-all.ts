import { type Clock, sleep } from '../../clock.ts';
import type { Cluster } from '../cluster.ts';
import { isFencedName } from '../kafka-errors.ts';
import type { OutgoingRecord } from '../ports.ts';
import type { PartitionBatch, PartitionGroup } from '../produce/partition-batch.ts';
import type { ProducerSession } from '../produce/producer-session.ts';
import { type Failure, sendToLeaders, type Written } from '../produce/send-to-leaders.ts';
import { isRefusal, RecordRefusedError } from '../record-refused.ts';
import { FencedError, TransactionAbortedError } from './errors.ts';

export interface ProduceAllOptions {
  readonly cluster: Cluster;
  readonly transactionalId: string;
  readonly session: ProducerSession;
  readonly groups: readonly PartitionGroup[];
  /** When to give up, by the monotonic clock. */
  readonly untilMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Most bytes of keys and values in a batch; brokers refuse one above 1 MiB unless they are told otherwise. */
const batchBytes = 900 * 1024;
const pauseMs = 50;

/**
 * Writes `groups` into the open transaction, each partition in order. What gets no answer is sent again with the same identity, so
 * that it is there once. Resolves with the offset of the last record by partition, as far as the brokers have told.
 *
 * @throws {FencedError | RecordRefusedError | TransactionAbortedError}
 */
export async function produceAll(options: ProduceAllOptions): Promise<ReadonlyMap<string, number>> {
  const { cluster, session, groups } = options;
  const lastOffsets = new Map<string, number>();
  const unknown = groups.filter(({ topic, partition }) => cluster.leaderOf(topic, partition) === undefined);
  if (unknown.length > 0) await cluster.refresh(topicsOf(unknown));
  const runs = groups.map((group) => ({ ...group, runs: runsOf(group.records) }));
  const rounds = Math.max(0, ...runs.map((each) => each.runs.length));
  for (let round = 0; round < rounds; round += 1) {
    const batches = runs.flatMap(({ name, topic, partition, runs: each }): PartitionBatch[] => {
      const records = each[round];
      return records === undefined
        ? []
        : [{ topic, partition, records, identity: session.identify(name, records.length) }];
    });
    for (const { batch, baseOffset } of await untilWritten(batches, options)) {
      const name = `${batch.topic}/${batch.partition}`;
      if (baseOffset === undefined) lastOffsets.delete(name);
      else lastOffsets.set(name, baseOffset + batch.records.length - 1);
    }
  }
  return lastOffsets;
}

async function untilWritten(
  batches: readonly PartitionBatch[],
  { cluster, transactionalId, untilMs, clock, signal }: ProduceAllOptions,
): Promise<readonly Written[]> {
  const written: Written[] = [];
  for (let left = batches; ; ) {
    const sent = await sendToLeaders(cluster, left, transactionalId);
    written.push(...sent.written);
    const [first] = sent.failures;
    if (first === undefined) return written;
    for (const failure of sent.failures) throwIfFinal(failure);
    if (clock.monotonicMs() + pauseMs > untilMs) {
      throw new TransactionAbortedError(`${first.batch.topic}/${first.batch.partition}: ${first.message}`);
    }
    signal.throwIfAborted();
    left = sent.failures.map(({ batch }) => batch);
    await sleep(clock, pauseMs);
    await cluster.refresh(topicsOf(left)).catch(() => undefined);
  }
}

function throwIfFinal({ batch, errorName, message }: Failure): void {
  if (errorName === undefined) return;
  const about = `${batch.topic}/${batch.partition}: ${message}`;
  if (isFencedName(errorName)) throw new FencedError(about);
  if (isRefusal(errorName)) throw new RecordRefusedError(about);
  // A number that the broker misses is not found by sending again, nor is a transaction that it has ended.
  if (['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_TXN_STATE'].includes(errorName)) {
    throw new TransactionAbortedError(about);
  }
}

/** Records in runs that a broker takes as one batch; one that is larger goes alone. */
function runsOf(records: readonly OutgoingRecord[]): readonly (readonly OutgoingRecord[])[] {
  const runs: OutgoingRecord[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const size = record.key.length + (record.value?.length ?? 0);
    if (bytes + size > batchBytes) {
      runs.push([]);
      bytes = 0;
    }
    runs.at(-1)?.push(record);
    bytes += size;
  }
  return runs;
}

function topicsOf(partitions: readonly { readonly topic: string }[]): readonly string[] {
  return [...new Set(partitions.map(({ topic }) => topic))];
}
