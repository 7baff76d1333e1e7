import { type Clock, sleep } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { OutgoingRecord } from '../../lib/kafka/ports.ts';
import type { Logger } from '../../lib/logger.ts';
import { inWireFormat } from '../../schemas/codec.ts';
import type { Segment } from '../spool/folders.ts';
import type { SpooledRecord } from '../spool/frame.ts';
import type { Quarantine } from '../spool/quarantine.ts';
import { readSegment, type SegmentContent } from '../spool/segment.ts';
import type { Spool } from '../spool/spool.ts';
import type { IngestTopicId } from '../tencent/request.ts';
import { type Batcher, QueueFullError } from './batcher.ts';
import { outgoingOf } from './prepared.ts';
import type { Publisher } from './publisher.ts';

export interface DrainerOptions {
  readonly spool: Spool;
  readonly quarantine: Quarantine;
  readonly batcher: Pick<Batcher, 'enqueue'>;
  readonly publisher: Publisher;
  /** Schema id of the version with this fingerprint; `undefined` when nobody knows it. May fail while the registry is away. */
  readonly schemaIdOf: (topic: IngestTopicId, fingerprint: Buffer) => Promise<number | undefined>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of records that Kafka has acknowledged. */
  readonly onDrained: (records: number) => void;
  /** Told of a record that will never reach Kafka, or of damaged bytes, with the file that they are kept in. */
  readonly onQuarantined: (what: string, path: string) => void;
}

/** Bytes of bodies that are on their way to Kafka at a time, so that the spool is not read into memory. */
const chunkBytes = 4 * 1024 * 1024;
const pauseMs = 500;
/** How often in a row a segment may be unreadable before it goes to quarantine, so that a bad sector does not hold up the rest. */
const unreadableLimit = 20;
/** How long after it has had a chunk Kafka is expected to take the next one at once. */
const takingMs = 1_000;
/** How long a queue that others have filled is given to drain. */
const fullPauseMs = 50;
/** A segment below this is the last of the spool, if nothing comes: new events are held back for it. */
const lastSegmentBytes = 1024 * 1024;

/** Moves what is spooled to Kafka, in order, and lets new events go there directly when there is nothing left. */
export class Drainer {
  readonly #options: DrainerOptions;
  #isStopped = false;
  #unreadable = 0;
  /** When Kafka last had all of a chunk, by the monotonic clock. */
  #takenMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(options: DrainerOptions) {
    this.#options = options;
  }

  /** Begins to drain, once the way to Kafka is known; does nothing while that is under way. */
  wake(): void {
    if (this.#isStopped || this.#running !== undefined || this.#options.publisher.destinations === undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // Something may have come between the last look and the end.
      if (this.#options.publisher.way === 'disk') this.wake();
    });
  }

  /** Begins nothing more, and resolves when the chunk that is under way is done; what is left stays in the spool. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.publisher.release();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { spool, publisher, clock, logger } = this.#options;
    while (!this.#isStopped && !publisher.resume()) {
      try {
        // What was adopted while events go to Kafka directly keeps nothing waiting, nor does Kafka while it takes nothing.
        const isTaking = clock.monotonicMs() - this.#takenMs < takingMs;
        if (publisher.way === 'disk' && isTaking && spool.bytes < lastSegmentBytes) publisher.hold();
        const segment = await spool.oldest();
        if (segment !== undefined) await this.#drain(segment);
      } catch (error) {
        publisher.release();
        logger.warn({ reason: messageOf(error) }, 'the spool cannot be drained, trying again');
        await sleep(clock, pauseMs);
      }
    }
  }

  async #drain(segment: Segment): Promise<void> {
    const { spool, quarantine, onDrained, onQuarantined, clock } = this.#options;
    const read = await this.#read(segment);
    if (read === undefined) return spool.remove(segment);
    const { records, torn } = read;
    for (const chunk of chunks(records)) {
      if (!(await this.#send(chunk))) return;
      this.#takenMs = clock.monotonicMs();
      onDrained(chunk.length);
    }
    if (torn.length > 0) {
      const path = await quarantine.keepDamaged(torn, segment.path);
      onQuarantined(`${torn.length} bytes without a whole record`, path);
    }
    await spool.remove(segment);
  }

  /** `undefined` when there is nothing left to read in its place. */
  async #read({ path }: Segment): Promise<SegmentContent | undefined> {
    const { quarantine, onQuarantined, logger } = this.#options;
    try {
      const content = await readSegment(path);
      this.#unreadable = 0;
      return content;
    } catch (error) {
      if (isMissing(error)) {
        logger.error({ segment: path }, 'a file of the spool is gone, and what was in it');
        return undefined;
      }
      this.#unreadable += 1;
      if (this.#unreadable < unreadableLimit) throw error;
      this.#unreadable = 0;
      onQuarantined(`a segment that cannot be read: ${messageOf(error)}`, await quarantine.keepWhole(path));
      return undefined;
    }
  }

  /** Resolves with true when Kafka has every record of the chunk, or quarantine has; false: it was stopped before. */
  async #send(chunk: readonly SpooledRecord[]): Promise<boolean> {
    const outgoing: (OutgoingRecord | undefined)[] = [];
    for (const record of chunk) outgoing.push(await this.#outgoing(record));
    // In one turn as far as the queue has room, so that nothing comes between and they keep their order.
    let written: Promise<void>[] = [];
    for (const [index, record] of chunk.entries()) {
      for (;;) {
        if (this.#isStopped) {
          void Promise.allSettled(written);
          return false;
        }
        const writing = this.#write(record, outgoing[index]);
        if (writing !== undefined) {
          written.push(writing);
          break;
        }
        if (written.length === 0) await sleep(this.#options.clock, fullPauseMs);
        await Promise.all(written);
        written = [];
      }
    }
    await Promise.all(written);
    return true;
  }

  /** Resolves when Kafka or quarantine has the record; `undefined`, and nothing is done, while the queue has no room for it. */
  #write(record: SpooledRecord, outgoing: OutgoingRecord | undefined): Promise<void> | undefined {
    if (outgoing === undefined) return this.#keep(record, 'Nobody knows its topic or its schema');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    try {
      this.#options.batcher.enqueue(outgoing, {
        acknowledged: () => resolve(),
        refused: (_record, { message }) => void this.#keep(record, message).then(resolve, reject),
      });
    } catch (error) {
      if (error instanceof QueueFullError) return undefined;
      throw error;
    }
    return promise;
  }

  /** Puts a record into quarantine. A disk that does not take it is waited for, so that the others are not sent again because of it. */
  async #keep(record: SpooledRecord, why: string): Promise<void> {
    const { quarantine, onQuarantined, clock, logger } = this.#options;
    for (;;) {
      try {
        onQuarantined(why, await quarantine.keepRecord(record));
        return;
      } catch (error) {
        if (this.#isStopped) throw error;
        logger.warn({ reason: messageOf(error) }, 'a record that Kafka refuses cannot be kept, trying again');
        await sleep(clock, pauseMs);
      }
    }
  }

  async #outgoing(record: SpooledRecord): Promise<OutgoingRecord | undefined> {
    const { publisher, schemaIdOf } = this.#options;
    const { destinations } = publisher;
    const topic = record.topic as IngestTopicId;
    if (destinations?.has(topic) !== true) return undefined;
    const schemaId = await schemaIdOf(topic, record.fingerprint);
    if (schemaId === undefined) return undefined;
    const { key, body, timestampMs } = record;
    const headers = Object.keys(record.headers).length > 0 ? record.headers : undefined;
    return outgoingOf({ topic, key, value: inWireFormat(body), timestampMs, headers }, destinations, schemaId);
  }
}

/** Records in runs of about `chunkBytes`. */
function* chunks(records: readonly SpooledRecord[]): Generator<readonly SpooledRecord[]> {
  let chunk: SpooledRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    chunk.push(record);
    bytes += record.key.length + record.body.length;
    if (bytes < chunkBytes) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
