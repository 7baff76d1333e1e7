import { type Clock, sleep } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Cluster } from '../cluster.ts';
import type { TopicPartition } from '../ports.ts';
import { type FetchedBytes, fetchFrom } from './fetch-request.ts';
import { offsetRange } from './partition-offsets.ts';
import { type ConsumedRecord, RecordBatchDamagedError, readRecordBatches } from './record-batch-reader.ts';

/** What was fetched of one partition at once. */
export interface FetchedBatch {
  readonly records: readonly ConsumedRecord[];
  /** Where the next one begins. */
  readonly nextOffset: number;
  /** Offset behind the last record of the partition. */
  readonly highWatermark: number;
}

/** Takes a batch of a partition; gets the next one when what this returns has resolved. */
export type TakeBatch = (batch: FetchedBatch) => Promise<void> | void;

export interface FetcherOptions {
  /** For fetching alone: a request that waits for records holds up whatever comes behind it on the connection. */
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Subscription extends TopicPartition {
  readonly take: TakeBatch;
  readonly end: AbortController;
  offset: number;
  /** Since when a batch is being taken, or something else is waited for; by the monotonic clock. */
  busySinceMs: number | undefined;
  /** Whether the broker had more than was fetched last. */
  isBehind: boolean;
  /** Fetched while the batch before is being taken; read when that has been. */
  ahead: FetchedBytes | undefined;
}

const idleWaitMs = 500;
/** While a partition is being taken the broker must not wait for the others for long, so that it is fetched again soon. */
const busyWaitMs = 20;
/** A partition that is taken for longer is not waited for like that. */
const busyMs = 2_000;
const partitionBytes = 1024 * 1024;
const maxBytes = 8 * 1024 * 1024;
const troublePauseMs = 250;

/**
 * Fetches what is committed of partitions, each at its own pace: one that is slow to take its records holds up no other. Of one that is
 * behind the next batch is fetched while one is being taken; so at most two mebibytes of each are in memory.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Brokers that a request is on its way to. */
  readonly #asked = new Set<number>();
  #needsRefresh = false;
  #isScheduled = false;
  #isStopped = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Fetches a partition from `offset` on. */
  add({ topic, partition }: TopicPartition, offset: number, take: TakeBatch): void {
    const end = new AbortController();
    const idle = { busySinceMs: undefined, isBehind: false, ahead: undefined };
    this.#subscriptions.set(`${topic}/${partition}`, { topic, partition, offset, take, end, ...idle });
    this.#schedule();
  }

  /** Gives nothing of a partition out any more. */
  remove({ topic, partition }: TopicPartition): void {
    const name = `${topic}/${partition}`;
    this.#subscriptions.get(name)?.end.abort();
    this.#subscriptions.delete(name);
  }

  stop(): void {
    this.#isStopped = true;
    for (const subscription of [...this.#subscriptions.values()]) this.remove(subscription);
  }

  /** What becomes ready in the same turn is fetched together. */
  #schedule(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    const { cluster } = this.#options;
    const all = [...this.#subscriptions.values()];
    if (this.#needsRefresh || all.some(({ topic, partition }) => cluster.leaderOf(topic, partition) === undefined)) {
      if (!(await this.#refresh(all))) return;
    }
    const ready = all.filter(isWanted);
    const nowMs = this.#options.clock.monotonicMs();
    const byLeader = Map.groupBy(ready, ({ topic, partition }) => cluster.leaderOf(topic, partition) ?? -1);
    for (const [leader, theirs] of byLeader) {
      if (this.#asked.has(leader)) continue;
      this.#asked.add(leader);
      const isBusy = all.some(({ busySinceMs }) => busySinceMs !== undefined && nowMs - busySinceMs < busyMs);
      void this.#fetch(leader, theirs, isBusy ? busyWaitMs : idleWaitMs).finally(() => {
        this.#asked.delete(leader);
        if (this.#subscriptions.size > 0) this.#schedule();
      });
    }
  }

  /** Learns who leads the partitions; false when that failed and will be tried again. */
  async #refresh(subscriptions: readonly Subscription[]): Promise<boolean> {
    const { cluster, clock, logger } = this.#options;
    try {
      await cluster.refresh([...new Set(subscriptions.map(({ topic }) => topic))]);
      this.#needsRefresh = false;
      return true;
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, 'no broker tells who leads the partitions, asking again');
      await sleep(clock, troublePauseMs);
      this.#schedule();
      return false;
    }
  }

  async #fetch(leader: number, subscriptions: readonly Subscription[], maxWaitMs: number): Promise<void> {
    const { cluster, clock, logger } = this.#options;
    let fetched: readonly FetchedBytes[];
    try {
      if (leader < 0) throw new Error('partitions have no leader');
      const connection = await cluster.connectionTo(leader);
      fetched = await fetchFrom(connection, subscriptions, { maxWaitMs, maxBytes, partitionBytes });
    } catch (error) {
      if (!this.#isStopped)
        logger.warn({ leader, reason: messageOf(error) }, 'a broker gives no records, asking again');
      this.#needsRefresh = true;
      await sleep(clock, troublePauseMs);
      return;
    }
    let isTroubled = false;
    for (const each of fetched) {
      const subscription = subscriptions.find(
        ({ topic, partition }) => topic === each.topic && partition === each.partition,
      );
      if (subscription === undefined || subscription.end.signal.aborted) continue;
      const isBusy = subscription.busySinceMs !== undefined;
      if (each.errorName === undefined && isBusy) subscription.ahead = each;
      else if (each.errorName === undefined) {
        isTroubled = !this.#tryGive(subscription, each) || isTroubled;
      } else if (each.errorName === 'OFFSET_OUT_OF_RANGE') {
        subscription.isBehind = false;
        if (!isBusy) this.#comeInto(subscription);
      } else {
        logger.warn(
          { topic: each.topic, partition: each.partition, reason: each.errorName },
          'no records of a partition',
        );
        isTroubled = true;
      }
    }
    if (!isTroubled) return;
    this.#needsRefresh = true;
    await sleep(clock, troublePauseMs);
  }

  /** False when the records are not what was written, and have to be fetched again. */
  #tryGive(subscription: Subscription, fetched: FetchedBytes): boolean {
    try {
      this.#give(subscription, fetched);
      return true;
    } catch (error) {
      if (!(error instanceof RecordBatchDamagedError)) throw error;
      this.#options.logger.error({ reason: messageOf(error) }, 'records are damaged, fetching them again');
      return false;
    }
  }

  #give(subscription: Subscription, { bytes, aborted, highWatermark }: FetchedBytes): void {
    const { topic, partition, offset, take } = subscription;
    const { records, nextOffset } = readRecordBatches(bytes, offset, aborted, `${topic}/${partition}`);
    if (nextOffset === offset) return;
    this.#toTheEnd(subscription);
    subscription.offset = nextOffset;
    subscription.isBehind = nextOffset < highWatermark;
    const taken = take({ records, nextOffset, highWatermark });
    if (taken !== undefined) this.#busyUntil(subscription, taken);
  }

  /** A broker fills its answer in the order that it is asked in, so whoever has got something asks behind the others next time. */
  #toTheEnd(subscription: Subscription): void {
    const name = `${subscription.topic}/${subscription.partition}`;
    this.#subscriptions.delete(name);
    this.#subscriptions.set(name, subscription);
  }

  /** What lies before the begin of the partition is kept no more: goes on with what is. */
  #comeInto(subscription: Subscription): void {
    const { cluster, logger } = this.#options;
    const { topic, partition, offset } = subscription;
    const moved = offsetRange(cluster, subscription, subscription.end.signal).then(({ begin, stableEnd }) => {
      if (subscription.offset === offset) subscription.offset = Math.min(Math.max(offset, begin), stableEnd);
      logger.error({ topic, partition, offset, begin, stableEnd }, 'records were removed before they were read');
    });
    this.#busyUntil(subscription, moved);
  }

  #busyUntil(subscription: Subscription, until: Promise<void>): void {
    subscription.busySinceMs = this.#options.clock.monotonicMs();
    void until.then(
      () => {
        subscription.busySinceMs = undefined;
        const { ahead, end } = subscription;
        subscription.ahead = undefined;
        if (ahead !== undefined && !end.signal.aborted) this.#tryGive(subscription, ahead);
        this.#schedule();
      },
      (error: unknown) => {
        if (!subscription.end.signal.aborted) throw error;
      },
    );
  }
}

function isWanted({ end, busySinceMs, isBehind, ahead }: Subscription): boolean {
  return !end.signal.aborted && (busySinceMs === undefined || (isBehind && ahead === undefined));
}
