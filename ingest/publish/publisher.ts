import type { Clock } from '../../lib/clock.ts';
import { RecordRefusedError } from '../../lib/kafka/kafka-sink.ts';
import type { Quarantine } from '../spool/quarantine.ts';
import { type Spool, SpoolError } from '../spool/spool.ts';
import type { TranslatedEvent } from '../tencent/request.ts';
import { type Batcher, QueueFullError } from './batcher.ts';
import { type Destinations, type EventPreparer, outgoingOf, type PreparedRecord, spooledOf } from './prepared.ts';

/** Where an event was durable when it was answered. */
export type Durability = 'kafka' | 'disk';

/** How much longer than Kafka the disk may take with an event, so that the answer comes within the 2 s that Tencent waits. */
const diskMs = 600;

/** How long new events are held back at most while the last of the spool goes to Kafka. */
const longestHoldMs = 300;

export interface PublisherOptions {
  readonly preparer: EventPreparer;
  readonly batcher: Batcher;
  readonly spool: Pick<Spool, 'append' | 'isEmpty'>;
  readonly quarantine: Pick<Quarantine, 'keepRecord'>;
  readonly clock: Clock;
  /** Time within which Kafka must have acknowledged an event; then it goes to the spool. */
  readonly deadlineMs: number;
  /** Told when the spool has begun to fill, so that somebody drains it. */
  readonly onSpooling: () => void;
  /** Told of a record that Kafka refuses for good, with the file that it is kept in. */
  readonly onQuarantined: (record: PreparedRecord, path: string) => void;
}

/** An event, or a batch of them, that Kafka has not acknowledged yet. */
interface Publication {
  readonly records: readonly PreparedRecord[];
  /** Settled by the spool, once the publication has gone there. */
  readonly spooled: PromiseWithResolvers<void>;
}

/**
 * Makes events durable: on Kafka while that is quick enough, else on the disk.
 *
 * Once an event is late, it and everything behind it goes to the spool, and so does everything that comes, until the spool has
 * been drained: so events of a key keep their order. What was late may still be acknowledged by Kafka, and is then there twice,
 * with the same eventId.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #pending = new Set<Publication>();
  #destinations: Destinations | undefined;
  #way: Durability = 'disk';
  #hold: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Opens the way to Kafka; before this every event goes to the spool. */
  open(destinations: Destinations): void {
    this.#destinations = destinations;
    this.#options.onSpooling();
  }

  get destinations(): Destinations | undefined {
    return this.#destinations;
  }

  /** Where new events go. */
  get way(): Durability {
    return this.#way;
  }

  /**
   * Resolves when all of `events` are durable, and says where.
   *
   * @param traceparent W3C trace context that came with the request, passed on as a record header.
   * @throws {EventTooLargeError} before any of them is sent.
   * @throws {SpoolError} when neither Kafka nor the disk has taken them.
   */
  async publish(events: readonly TranslatedEvent[], traceparent: string | undefined): Promise<Durability> {
    const records = events.map((event) => this.#options.preparer.prepare(event, traceparent));
    if (this.#hold !== undefined) await this.#hold.over;
    if (this.#way === 'kafka' && this.#destinations !== undefined) return this.#toKafka(records, this.#destinations);
    const { deadlineMs, onSpooling } = this.#options;
    await this.#toDisk(records, deadlineMs + diskMs - longestHoldMs);
    onSpooling();
    return 'disk';
  }

  /** Holds new events back, for at most 300 ms, so that what is spooled comes to an end. */
  hold(): void {
    if (this.#hold !== undefined) return;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(longestHoldMs, () => this.release());
    const end = (): void => {
      cancel();
      resolve();
    };
    this.#hold = { over, end };
  }

  release(): void {
    const held = this.#hold;
    this.#hold = undefined;
    held?.end();
  }

  /** Sends what comes to Kafka again, when nothing is spooled any more; says whether it does. */
  resume(): boolean {
    if (this.#destinations === undefined || !this.#options.spool.isEmpty) return false;
    this.#way = 'kafka';
    this.release();
    return true;
  }

  async #toKafka(records: readonly PreparedRecord[], destinations: Destinations): Promise<Durability> {
    const publication: Publication = { records, spooled: Promise.withResolvers() };
    this.#pending.add(publication);
    const onDisk = publication.spooled.promise.then((): Durability => 'disk');
    const cancel = afterWhatCame(this.#options.clock, this.#options.deadlineMs, () => this.#divert());
    try {
      const written = Promise.all(records.map((record) => this.#write(record, destinations)));
      const onKafka = written.then((ways): Durability => (ways.includes('disk') ? 'disk' : 'kafka'));
      return await Promise.race([onKafka, onDisk]);
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      this.#divert();
      return await onDisk;
    } finally {
      cancel();
      this.#pending.delete(publication);
      // Nobody waits any more for what may still come of it.
      onDisk.catch(() => undefined);
    }
  }

  /** Sends everything that waits to the spool, in the order in which it came, and whatever comes behind it. */
  #divert(): void {
    if (this.#way === 'disk') return;
    this.#way = 'disk';
    for (const { records, spooled } of this.#pending) {
      this.#toDisk(records, diskMs).then(spooled.resolve, spooled.reject);
    }
    this.#options.onSpooling();
  }

  /** Resolves when the disk has `records`. @throws {SpoolError} when it has not after `limitMs`; it may still take them. */
  async #toDisk(records: readonly PreparedRecord[], limitMs: number): Promise<void> {
    const { spool, clock } = this.#options;
    const late = Promise.withResolvers<never>();
    const cancel = afterWhatCame(clock, limitMs, () =>
      late.reject(new SpoolError(`The disk has not taken the event within ${limitMs} ms`)),
    );
    try {
      await Promise.race([spool.append(records.map(spooledOf)), late.promise]);
    } finally {
      cancel();
    }
  }

  /** Writes a record to Kafka; one that is refused for good to quarantine. */
  async #write(record: PreparedRecord, destinations: Destinations): Promise<Durability> {
    try {
      await this.#options.batcher.add(outgoingOf(record, destinations));
      return 'kafka';
    } catch (error) {
      if (!(error instanceof RecordRefusedError)) throw error;
      this.#options.onQuarantined(record, await this.#options.quarantine.keepRecord(spooledOf(record)));
      return 'disk';
    }
  }
}

/**
 * Runs `task` after `delayMs` and behind whatever has come in by then: a process that got no processor time would otherwise
 * find its timers due before it sees what Kafka and the disk have long answered. The returned function cancels it.
 */
function afterWhatCame(clock: Clock, delayMs: number, task: () => void): () => void {
  let isCancelled = false;
  const cancel = clock.after(delayMs, () => {
    setImmediate(() => {
      if (!isCancelled) task();
    });
  });
  return () => {
    isCancelled = true;
    cancel();
  };
}
