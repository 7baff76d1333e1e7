import type { Envelope, RecordOf } from '../../schemas/generated/events.ts';
import type { FieldsOf } from './fields.ts';
import { type KeyPath, keyPath } from './key.ts';
import type { IngestRecordName, IngestTopicId } from './request.ts';

/** The fields of an event beyond its envelope. */
export type OwnFields<N extends IngestRecordName> = Omit<RecordOf[N], keyof Envelope>;

/** The records that stand for callbacks: all of ingest's but the dead letter. */
export type EventName = Exclude<IngestRecordName, 'DeadLetter'>;

/** Callbacks that become the same record on the same topic. */
export interface Family<N extends EventName = EventName> {
  readonly record: N;
  readonly topic: IngestTopicId;
  /** The first of these that the body has as a text goes into the record's key. */
  readonly keys: readonly KeyPath[];
  /** Whether a time under EventTime must be readable; a body that is only kept may hold anything. */
  readonly interpreted: boolean;
  /** Unit of a plain EventTime. */
  readonly eventTimeUnit: 'ms' | 's';
  readonly fields: FieldsOf<OwnFields<N>>;
  /** An event without values, to be copied: objects that grow field by field are several times as slow to write and read. */
  readonly blank: Readonly<Record<string, null>>;
}

const blankEnvelope: Readonly<Record<keyof Envelope, null>> = {
  eventId: null,
  sdkAppId: null,
  command: null,
  receivedAt: null,
  occurredAt: null,
  clientIp: null,
  optPlatform: null,
  requestId: null,
  requestTime: null,
  extras: null,
};

/** An object of these names; made by `JSON.parse`, because V8 keeps objects with many computed names as hash tables. */
function blankOf(names: readonly string[]): Readonly<Record<string, null>> {
  return JSON.parse(`{${names.map((name) => `${JSON.stringify(name)}:null`).join(',')}}`);
}

/** A family whose bodies are interpreted, with its key as paths such as `From_Account` or `Info/To_Account`. */
export function family<N extends EventName>(
  record: N,
  topic: IngestTopicId,
  keys: readonly string[],
  fields: FieldsOf<OwnFields<N>>,
): Family<N> {
  const blank = blankOf([...Object.keys(blankEnvelope), ...Object.keys(fields)]);
  return { record, topic, keys: keys.map(keyPath), interpreted: true, eventTimeUnit: 'ms', fields, blank };
}
