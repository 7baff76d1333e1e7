import type { OutgoingRecord } from '../../lib/kafka/ports.ts';
import type { Receipt } from './partition-queue.ts';
import type { PreparedRecord } from './prepared.ts';

/** Where an event was durable when it was answered. */
export type Durability = 'kafka' | 'disk';

/** An event, or a batch of them, on the way to Kafka, or to the disk when that takes too long: whichever has all of it first. */
export class Publication implements Receipt {
  readonly records: readonly PreparedRecord[];
  /** When it came, in monotonic milliseconds. */
  readonly cameMs: number;
  /** Resolves when all of it is durable, with where. */
  readonly durable: Promise<Durability>;
  readonly #resolve: (way: Durability) => void;
  readonly #reject: (error: unknown) => void;
  readonly #quarantine: (record: PreparedRecord) => Promise<void>;
  #left: number;
  #way: Durability = 'kafka';
  #isSettled = false;

  /**
   * @param records at least one.
   * @param quarantine keeps a record that Kafka refuses for good.
   */
  constructor(
    records: readonly PreparedRecord[],
    cameMs: number,
    quarantine: (record: PreparedRecord) => Promise<void>,
  ) {
    this.records = records;
    this.cameMs = cameMs;
    this.#quarantine = quarantine;
    this.#left = records.length;
    const { promise, resolve, reject } = Promise.withResolvers<Durability>();
    this.durable = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Whether it is durable, or lost: nobody waits for it any longer. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  acknowledged(): void {
    this.#left -= 1;
    if (this.#left === 0) this.#settle(this.#way);
  }

  refused(refused: OutgoingRecord): void {
    const record = this.records.find(({ value }) => value === refused.value);
    if (record === undefined) throw new Error('Kafka refuses a record that is not of this publication');
    const kept = (): void => {
      this.#way = 'disk';
      this.acknowledged();
    };
    this.#quarantine(record).then(kept, (error: unknown) => this.lost(error));
  }

  /** The disk has all of it. */
  spooled(): void {
    this.#settle('disk');
  }

  /** The disk cannot take it. */
  lost(error: unknown): void {
    this.#isSettled = true;
    this.#reject(error);
  }

  #settle(way: Durability): void {
    this.#isSettled = true;
    this.#resolve(way);
  }
}
