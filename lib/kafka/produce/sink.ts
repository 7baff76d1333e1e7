import { type Connection, initProducerIdV4, protocolErrorsCodesById, Writer } from '@platformatic/kafka';
import { messageOf } from '../../errors.ts';
import { KafkaRequestError } from '../admin.ts';
import { Cluster, type ClusterOptions } from '../cluster.ts';
import { type ConnectedSink, type OutgoingRecord, PartitionsFailedError } from '../ports.ts';
import { isRefusal, RecordRefusedError } from '../record-refused.ts';
import { byTopic, groupByPartition, type PartitionBatch, type PartitionGroup } from './partition-batch.ts';
import { encodeProduceRequest, produceVersion } from './produce-request.ts';
import { type PartitionOutcome, readProduceResponse } from './produce-response.ts';
import { lastSequence, ProducerSession } from './producer-session.ts';

const produceApiKey = 0;
/** How long a broker may wait for its replicas. */
const acknowledgeMs = 10_000;
/** The broker has a batch with this identity already. */
const duplicateSequence = 'DUPLICATE_SEQUENCE_NUMBER';
/** What fails is sent once more here, to where the partition is led by then; whoever sends tries again after that. */
const attempts = 2;

interface Failure {
  readonly batch: PartitionBatch;
  /** Name of Kafka's error; `undefined` when there was no answer. */
  readonly errorName: string | undefined;
  readonly message: string;
}

/**
 * An idempotent producer on the connections of @platformatic/kafka, with requests that it writes itself, which costs less than
 * half of what clients for Node spend on a batch. For Kafka 2.7 and later.
 *
 * A batch that is sent again within one `send` is written once. What `send` has given up and somebody sends again may be there twice.
 */
export class IdempotentSink implements ConnectedSink {
  readonly #cluster: Cluster;
  readonly #lastSequence: number;
  #session: Promise<ProducerSession> | undefined;
  #sessions = 0;

  /** @param limit the last sequence number that is used before a new producer id is asked for. */
  constructor(options: ClusterOptions, limit = lastSequence) {
    this.#cluster = new Cluster(options);
    this.#lastSequence = limit;
  }

  /** How many producer ids have been taken so far. */
  get sessions(): number {
    return this.#sessions;
  }

  /** @throws {KafkaRequestError} when no broker can be reached. */
  async connect(): Promise<void> {
    try {
      await this.#currentSession();
    } catch (error) {
      throw new KafkaRequestError(`Kafka: ${messageOf(error)}`, { cause: error });
    }
  }

  disconnect(): Promise<void> {
    return this.#cluster.close();
  }

  /**
   * @throws {PartitionsFailedError} when other partitions have their records.
   * @throws {RecordRefusedError} when a broker will never take one of them.
   * @throws {KafkaRequestError} for whatever may pass with time.
   */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const groups = groupByPartition(records);
    let failures: readonly Failure[];
    try {
      const batches = await this.#identify(groups, records.length);
      failures = await this.#attempt(batches);
      for (let attempt = 1; attempt < attempts && failures.length > 0; attempt += 1) {
        if (failures.some(({ errorName }) => errorName !== undefined && isRefusal(errorName))) break;
        await this.#refresh(failures.map(({ batch }) => batch));
        failures = await this.#attempt(failures.map(({ batch }) => batch));
      }
    } catch (error) {
      this.#session = undefined;
      throw new KafkaRequestError(`Kafka: ${messageOf(error)}`, { cause: error });
    }
    if (failures.length === 0) return;
    // The brokers miss numbers now, and would take no later ones of this producer.
    this.#session = undefined;
    throw errorOf(failures, groups.length);
  }

  async #identify(groups: readonly PartitionGroup[], records: number): Promise<readonly PartitionBatch[]> {
    const unknown = groups.filter(({ topic, partition }) => this.#cluster.leaderOf(topic, partition) === undefined);
    if (unknown.length > 0) await this.#refresh(unknown);
    let session = await this.#currentSession();
    const names = groups.map(({ name }) => name);
    if (session.isSpent(names, records)) {
      this.#session = undefined;
      session = await this.#currentSession();
    }
    return groups.map((group) => ({ ...group, identity: session.identify(group.name, group.records.length) }));
  }

  #currentSession(): Promise<ProducerSession> {
    this.#session ??= this.#newSession().catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  async #newSession(): Promise<ProducerSession> {
    const { producerId, producerEpoch } = await this.#cluster.askAny((connection) =>
      initProducerIdV4.api.async(connection, null, acknowledgeMs),
    );
    this.#sessions += 1;
    return new ProducerSession(producerId, producerEpoch, this.#lastSequence);
  }

  #refresh(partitions: readonly { readonly topic: string }[]): Promise<void> {
    return this.#cluster.refresh([...new Set(partitions.map(({ topic }) => topic))]);
  }

  /** Sends each batch to the leader of its partition; returns those that are not acknowledged. */
  async #attempt(batches: readonly PartitionBatch[]): Promise<readonly Failure[]> {
    const byLeader = new Map<number, PartitionBatch[]>();
    const failures: Failure[] = [];
    for (const batch of batches) {
      const leader = this.#cluster.leaderOf(batch.topic, batch.partition);
      if (leader === undefined || leader < 0) {
        failures.push({ batch, errorName: undefined, message: 'the partition has no leader' });
        continue;
      }
      const present = byLeader.get(leader);
      if (present === undefined) byLeader.set(leader, [batch]);
      else present.push(batch);
    }
    const found = await Promise.all(Array.from(byLeader, ([leader, theirs]) => this.#sendTo(leader, theirs)));
    return failures.concat(...found);
  }

  async #sendTo(leader: number, batches: readonly PartitionBatch[]): Promise<readonly Failure[]> {
    try {
      const connection = await this.#cluster.connectionTo(leader);
      const outcomes = await request(connection, encodeProduceRequest(byTopic(batches), acknowledgeMs));
      return failuresOf(batches, outcomes);
    } catch (error) {
      return batches.map((batch) => ({ batch, errorName: undefined, message: messageOf(error) }));
    }
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

function failuresOf(batches: readonly PartitionBatch[], outcomes: readonly PartitionOutcome[]): readonly Failure[] {
  const failures: Failure[] = [];
  for (const batch of batches) {
    const outcome = outcomes.find(({ topic, partition }) => topic === batch.topic && partition === batch.partition);
    if (outcome?.errorCode === 0) continue;
    const errorName = outcome === undefined ? undefined : (protocolErrorsCodesById[outcome.errorCode] ?? 'UNKNOWN');
    if (errorName === duplicateSequence) continue;
    const detail = outcome?.detail ?? undefined;
    const message = [errorName ?? 'the broker has not answered for it', detail].filter(Boolean).join(': ');
    failures.push({ batch, errorName, message });
  }
  return failures;
}

function errorOf(failures: readonly Failure[], partitions: number): Error {
  const [first] = failures;
  const others = failures.length === 1 ? '' : `, and ${failures.length - 1} more`;
  const message = `Kafka: ${first?.batch.topic}/${first?.batch.partition}: ${first?.message}${others}`;
  if (failures.length < partitions) {
    return new PartitionsFailedError(
      message,
      failures.map(({ batch: { topic, partition } }) => ({ topic, partition })),
    );
  }
  const refused = failures.find(({ errorName }) => errorName !== undefined && isRefusal(errorName));
  if (refused !== undefined) return new RecordRefusedError(`Kafka refuses the record (${refused.errorName})`);
  return new KafkaRequestError(message);
}
