import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Quarantine } from '../spool/quarantine.ts';
import { type Spool, SpoolError } from '../spool/spool.ts';
import type { TranslatedEvent } from '../tencent/request.ts';
import { afterWhatCame } from './after-what-came.ts';
import { type Batcher, QueueFullError } from './batcher.ts';
import { Pending } from './pending.ts';
import { type Destinations, type EventPreparer, outgoingOf, type PreparedRecord, spooledOf } from './prepared.ts';
import { type Durability, Publication } from './publication.ts';

/** How much longer than Kafka the disk may take with an event, so that the answer comes within the 2 s that Tencent waits. */
const diskMs = 600;

/** How long new events are held back at most while the last of the spool goes to Kafka; that is part of their 2 s. */
const longestHoldMs = 700;

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

/**
 * Makes events durable: on Kafka while that is quick enough, else on the disk.
 *
 * Once an event is late, it and everything behind it goes to the spool, and so does everything that comes, until the spool has
 * been drained: so events of a key keep their order. What was late may still be acknowledged by Kafka, and is then there twice,
 * with the same eventId.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #pending = new Pending();
  #destinations: Destinations | undefined;
  #way: Durability = 'disk';
  #isWatched = false;
  #hold: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  readonly #quarantine = async (record: PreparedRecord): Promise<void> => {
    const { quarantine, onQuarantined } = this.#options;
    let path: string;
    try {
      path = await quarantine.keepRecord(spooledOf(record));
    } catch (error) {
      throw new SpoolError(`A record that Kafka refuses cannot be kept: ${messageOf(error)}`, { cause: error });
    }
    onQuarantined(record, path);
  };

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
  publish(events: readonly TranslatedEvent[], traceparent: string | undefined): Promise<Durability> {
    let records: readonly PreparedRecord[];
    try {
      records = events.map((event) => this.#options.preparer.prepare(event, traceparent));
    } catch (error) {
      return Promise.reject(error);
    }
    if (records.length === 0) return Promise.resolve('kafka');
    const cameMs = this.#options.clock.monotonicMs();
    if (this.#hold === undefined) return this.#keep(records, cameMs);
    return this.#hold.over.then(() => this.#keep(records, cameMs));
  }

  /** Holds new events back, for at most 700 ms, so that what is spooled comes to an end. */
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

  /** @param cameMs when the events came, by the monotonic clock: all of their time counts from then. */
  #keep(records: readonly PreparedRecord[], cameMs: number): Promise<Durability> {
    const destinations = this.#destinations;
    if (this.#way === 'kafka' && destinations !== undefined) return this.#toKafka(records, cameMs, destinations);
    const { deadlineMs, onSpooling, clock } = this.#options;
    const heldMs = clock.monotonicMs() - cameMs;
    return this.#toDisk(records, Math.max(diskMs, deadlineMs + diskMs - heldMs)).then(() => {
      onSpooling();
      return 'disk';
    });
  }

  #toKafka(records: readonly PreparedRecord[], cameMs: number, destinations: Destinations): Promise<Durability> {
    const { batcher } = this.#options;
    const publication = new Publication(records, cameMs, this.#quarantine);
    this.#pending.add(publication);
    this.#watch();
    try {
      for (const record of records) batcher.enqueue(outgoingOf(record, destinations), publication);
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      this.#divert();
    }
    return publication.durable;
  }

  /** One timer for all: the oldest publication is the first to be late. */
  #watch(): void {
    if (this.#isWatched || this.#way === 'disk') return;
    const { oldest } = this.#pending;
    if (oldest === undefined) return;
    const { clock, deadlineMs } = this.#options;
    this.#isWatched = true;
    afterWhatCame(clock, Math.max(0, oldest.cameMs + deadlineMs - clock.monotonicMs()), () => {
      this.#isWatched = false;
      const first = this.#pending.oldest;
      if (first !== undefined && clock.monotonicMs() - first.cameMs >= deadlineMs) this.#divert();
      this.#watch();
    });
  }

  /** Sends everything that waits to the spool, in the order in which it came, and whatever comes behind it. */
  #divert(): void {
    if (this.#way === 'disk') return;
    this.#way = 'disk';
    for (const publication of this.#pending.takeAll()) {
      this.#toDisk(publication.records, diskMs).then(
        () => publication.spooled(),
        (error: unknown) => publication.lost(error),
      );
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
}
