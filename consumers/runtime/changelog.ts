import { hash } from 'node:crypto';
import type { Type } from 'avsc';
import { AppError, messageOf } from '../../lib/errors.ts';
import type { OutgoingRecord } from '../../lib/kafka/ports.ts';
import { inWireFormat, RecordEncoder, schemaIdOf, wireHeaderBytes, withSchemaId } from '../../schemas/codec.ts';
import type { Destination } from '../../schemas/destinations.ts';
import type { RecordName, RecordOf } from '../../schemas/generated/events.ts';
import { avroType, recordSchemas } from '../../schemas/records.ts';
import type { EventDecoder } from './decoder.ts';
import type { Change } from './state/entry-table.ts';
import type { CopyChange, Restored } from './state/local-copy.ts';
import type { SeenChunk } from './state/seen/seen-table.ts';
import type { ValueCodec } from './state/state-store.ts';

/** A record of a state topic that nobody can read: its partition cannot be taken before a person has looked. */
export class StateUnreadableError extends AppError {
  override readonly name = 'StateUnreadableError';
  readonly code = 'STATE_UNREADABLE';
  readonly retryable = true;
}

/** A record as it stands on a state topic. */
export interface StoredRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Where the state of one kind stands, and how its values are read. */
export interface StateTopic<N extends RecordName> {
  readonly destination: Destination;
  readonly decoder: EventDecoder<N>;
  readonly record: N;
}

/** Values of a record as Avro, by today's schema. */
export function avroCodec<N extends RecordName>(record: N): ValueCodec<RecordOf[N]> {
  const type: Type = avroType(recordSchemas[record]);
  return {
    encode: (value) => type.toBuffer(value),
    decode: (bytes) => type.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as RecordOf[N],
    schema: hash('sha256', JSON.stringify(recordSchemas[record])),
  };
}

/** A changelog, whatever its values are. */
export type StateLog = Pick<Changelog<RecordName>, 'topics' | 'recordsOf' | 'read'>;

/** The topics from which the state of a partition and the ids that it has seen can be restored. */
export class Changelog<N extends RecordName> {
  readonly #state: StateTopic<N> | undefined;
  readonly #progress: StateTopic<'SeenEvents'>;
  readonly #seenEncoder: RecordEncoder<'SeenEvents'>;
  readonly #codec: ValueCodec<RecordOf[N]> | undefined;

  constructor(state: StateTopic<N> | undefined, progress: StateTopic<'SeenEvents'>) {
    this.#state = state;
    this.#progress = progress;
    this.#seenEncoder = new RecordEncoder('SeenEvents', progress.destination.schemaId);
    this.#codec = state && avroCodec(state.record);
  }

  /** Names of the topics. */
  get topics(): readonly string[] {
    const progress = this.#progress.destination.topic;
    return this.#state === undefined ? [progress] : [this.#state.destination.topic, progress];
  }

  /** What is to be written for `change` of `partition`. */
  recordsOf({ changes, seen }: CopyChange, partition: number, nowMs: number): readonly OutgoingRecord[] {
    const records: OutgoingRecord[] = [];
    if (changes.length > 0 && this.#state === undefined)
      throw new Error('A consumer without a state topic has changed its state');
    for (const [key, bytes] of changes) {
      const { topic = '', schemaId = 0 } = this.#state?.destination ?? {};
      const value = bytes === null ? null : withSchemaId(inWireFormat(bytesOf(bytes)), schemaId);
      records.push({ topic, partition, key: Buffer.from(key), value, timestampMs: nowMs });
    }
    const { topic } = this.#progress.destination;
    const { added, forgotten } = seen;
    if (added !== undefined) {
      const value = this.#seenEncoder.encode({ ids: bytesOf(added.ids), stepsMs: stepsOf(added.timesMs) });
      records.push({ topic, partition, key: keyOf(added.number), value, timestampMs: nowMs });
    }
    for (const number of forgotten)
      records.push({ topic, partition, key: keyOf(number), value: null, timestampMs: nowMs });
    return records;
  }

  /**
   * Reads records of one of its topics back.
   *
   * @throws {StateUnreadableError}
   * @throws {RegistryUnavailableError} when a schema is not known yet and cannot be asked for.
   */
  async read(topic: string, records: readonly StoredRecord[]): Promise<Restored> {
    const changes: Change[] = [];
    const chunks: SeenChunk[] = [];
    const forgotten: number[] = [];
    for (const record of records) {
      if (record.key === null) throw unreadable(topic, record, 'it has no key');
      if (topic === this.#progress.destination.topic) {
        const number = Number(record.key.toString());
        if (record.value === null) forgotten.push(number);
        else chunks.push(chunkOf(number, await valueIn(this.#progress.decoder, topic, record, record.value)));
      } else {
        changes.push([record.key.toString(), await this.#bodyOf(topic, record)]);
      }
    }
    return { changes, chunks, forgotten };
  }

  /** The body of a value by today's schema. */
  async #bodyOf(topic: string, record: StoredRecord): Promise<Uint8Array | null> {
    const { value } = record;
    if (value === null || this.#state === undefined || this.#codec === undefined) return null;
    if (schemaIdOf(value) === this.#state.destination.schemaId) return value.subarray(wireHeaderBytes);
    return this.#codec.encode(await valueIn(this.#state.decoder, topic, record, value));
  }
}

async function valueIn<N extends RecordName>(
  decoder: EventDecoder<N>,
  topic: string,
  record: StoredRecord,
  value: Buffer,
): Promise<RecordOf[N]> {
  const decoded = await decoder.decode(value);
  if ('problem' in decoded) throw unreadable(topic, record, decoded.problem);
  return decoded.value;
}

function unreadable(topic: string, { offset }: StoredRecord, problem: unknown): StateUnreadableError {
  return new StateUnreadableError(`${topic}, offset ${offset}: ${messageOf(problem)}`);
}

function keyOf(number: number): Buffer {
  return Buffer.from(String(number));
}

function chunkOf(number: number, { ids, stepsMs }: RecordOf['SeenEvents']): SeenChunk {
  let atMs = 0;
  const timesMs = stepsMs.map((stepMs) => {
    atMs += stepMs;
    return atMs;
  });
  return { number, ids, timesMs };
}

function stepsOf(timesMs: ArrayLike<number>): readonly number[] {
  return Array.from(timesMs, (timeMs, index) => timeMs - (timesMs[index - 1] ?? 0));
}

function bytesOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
