import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { avroCodec, Changelog } from '../../../../consumers/runtime/changelog.ts';
import { EventDecoder } from '../../../../consumers/runtime/decoder.ts';
import { createConsumerMetrics } from '../../../../consumers/runtime/metrics.ts';
import { OwnedPartition, PartitionStoppedError } from '../../../../consumers/runtime/partition/owned-partition.ts';
import { Refusals } from '../../../../consumers/runtime/partition/refusals.ts';
import type { Outcome, PartitionProcessor } from '../../../../consumers/runtime/processor.ts';
import { LocalCopy } from '../../../../consumers/runtime/state/local-copy.ts';
import { Snapshot } from '../../../../consumers/runtime/state/snapshot.ts';
import { AppError } from '../../../../lib/errors.ts';
import type { ConsumedRecord } from '../../../../lib/kafka/consume/record-batch-reader.ts';
import { RecordRefusedError } from '../../../../lib/kafka/record-refused.ts';
import { NotMemberError, TransactionAbortedError } from '../../../../lib/kafka/transact/errors.ts';
import type { LastOffsets, Transaction } from '../../../../lib/kafka/transact/transactional-producer.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { decodeAs, RecordEncoder } from '../../../../schemas/codec.ts';
import type { Destination } from '../../../../schemas/destinations.ts';
import type { ContentVerdict, DeadLetter, Standing } from '../../../../schemas/generated/events.ts';
import { RecordWriter, type TopicRecord } from '../../../../schemas/record-writer.ts';
import { avroType, recordSchemas } from '../../../../schemas/records.ts';
import { RegistryUnavailableError, type SchemaRegistry } from '../../../../schemas/registry.ts';
import type { TopicId } from '../../../../schemas/topics.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { makeTestFolder } from '../../../support/test-folder.ts';
import { aVerdict } from '../../../support/verdicts.ts';

const verdictId = 1;
const member = { groupId: 'im.test', memberId: 'me', generationId: 3 };
const partition = 2;

const destinations = new Map<TopicId, Destination>(
  (['alert', 'dead-letter', 'penalty.state', 'penalties.progress'] as const).map((id, index) => [
    id,
    { topic: `im.${id}.v1`, partitions: 4, schemaId: 10 + index },
  ]),
);

function destination(id: TopicId): Destination {
  const found = destinations.get(id);
  if (found === undefined) throw new Error(id);
  return found;
}

const encoder = new RecordEncoder('ContentVerdict', verdictId);

function record(offset: number, eventId: string, more: Partial<ConsumedRecord> = {}): ConsumedRecord {
  const value = encoder.encode(aVerdict({ eventId }));
  return { offset, timestampMs: 1_700_000_000_000, key: Buffer.from('k'), value, ...more };
}

/** A registry that knows the schema of verdicts, unless it is away. */
class ARegistry {
  isAway = false;

  async writerType() {
    if (this.isAway) throw new RegistryUnavailableError('the registry is away');
    return avroType(recordSchemas.ContentVerdict);
  }
}

/** Commits what it is given, unless the test has said how the next ones fail. */
class AProducer {
  readonly committed: Transaction[] = [];
  attempts = 0;
  failures: (Error | undefined)[] = [];
  #next = 0;

  async commit(transaction: Transaction): Promise<LastOffsets> {
    this.attempts += 1;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    this.committed.push(transaction);
    const last = new Map<string, number>();
    for (const { topic, partition: number } of transaction.records) last.set(`${topic}/${number}`, this.#next++);
    return last;
  }
}

/** Gives an alert with the id of each event, and keeps the event in its state. */
function aProcessor(copy: LocalCopy<Standing>): PartitionProcessor<ContentVerdict> {
  return {
    take: ({ value }): Outcome => {
      copy.state.set(value.eventId, { strikes: [], mutedUntil: value.receivedAt });
      return { kind: 'ok', outputs: [anAlert(value)] };
    },
  };
}

function anAlert({ eventId, receivedAt }: ContentVerdict): TopicRecord {
  return {
    topic: 'alert',
    key: eventId,
    timestampMs: receivedAt,
    value: {
      fingerprint: eventId,
      rule: 'r',
      status: 'FIRING',
      severity: 'warning',
      sdkAppId: 1,
      labels: {},
      startedAt: 0,
      changedAt: 0,
      observed: 0,
      expected: 0,
      ratio: 0,
      distinctSenders: 0,
      summary: '',
      summaryZh: '',
      contributors: {},
    },
  };
}

function setUp({
  refusals = new Refusals(),
  folder = makeTestFolder(),
  create = aProcessor,
  isOwner = () => true,
}: {
  refusals?: Refusals;
  folder?: string;
  create?: (copy: LocalCopy<Standing>) => PartitionProcessor<ContentVerdict>;
  isOwner?: () => boolean;
} = {}) {
  const clock = new ManualClock();
  const registry = new ARegistry();
  const progress = { destination: destination('penalties.progress'), record: 'SeenEvents' as const };
  const state = { destination: destination('penalty.state'), record: 'Standing' as const };
  const decoderOf = <N extends 'SeenEvents' | 'Standing' | 'ContentVerdict'>(name: N) =>
    new EventDecoder(name, registry as unknown as SchemaRegistry);
  const changelog = new Changelog(
    { ...state, decoder: decoderOf('Standing') },
    { ...progress, decoder: decoderOf('SeenEvents') },
  );
  const of = { clusterId: 'c', topics: changelog.topics, partition };
  const snapshot = Snapshot.open(join(folder, '2.sqlite'), of, 0, () => undefined);
  const copy = new LocalCopy(snapshot, avroCodec('Standing'), 86_400_000, clock.nowMs());
  const producer = new AProducer();
  const end = new AbortController();
  const ends: Error[] = [];
  const owned = new OwnedPartition({
    service: 'test',
    topic: 'im.verdict.v1',
    partition,
    member,
    producer,
    copy,
    changelog,
    processor: create(copy),
    decoder: decoderOf('ContentVerdict'),
    writer: new RecordWriter(destinations),
    refusals,
    nextOffset: 0,
    metrics: createConsumerMetrics(() => ({
      partitions: { running: 0, claiming: 0, stopped: 0 },
      oldestInFlightMs: 0,
    })),
    clock,
    time: clock,
    logger: silentLogger,
    isOwner,
    onEnd: (error) => ends.push(error),
    signal: end.signal,
  });
  onTestFinished(() => owned.close());
  const take = (...records: readonly ConsumedRecord[]): void => {
    const nextOffset = (records.at(-1)?.offset ?? -1) + 1;
    void owned.take({ records, nextOffset, highWatermark: nextOffset });
  };
  return { owned, take, producer, registry, clock, copy, end, ends };
}

/** Outputs of a transaction by topic: keys of alerts and of state, reasons of dead letters. */
function contents({ records, offsets }: Transaction) {
  const of = (id: TopicId) => records.filter(({ topic }) => topic === destination(id).topic);
  const deadLetter = avroType(recordSchemas.DeadLetter);
  return {
    alerts: of('alert').map(({ key }) => key.toString()),
    state: of('penalty.state').map(({ key, partition: number }) => `${key.toString()}@${number}`),
    progress: of('penalties.progress').map(({ key, partition: number }) => `${key.toString()}@${number}`),
    dead: of('dead-letter').map(({ value }) => (decodeAs(deadLetter, value as Buffer) as DeadLetter).reason),
    next: offsets.map(({ offset }) => offset),
  };
}

describe('a partition', () => {
  it('commits outputs, state, ids and the offset of what came together in one transaction, as this member', async () => {
    const { owned, take, producer } = setUp();
    take(record(4, 'a'), record(5, 'b'));
    await owned.idle();
    expect(producer.committed.map(contents)).toEqual([
      { alerts: ['a', 'b'], state: ['a@2', 'b@2'], progress: ['0@2'], dead: [], next: [6] },
    ]);
    expect(producer.committed[0]?.member).toEqual(member);
    expect(owned.nextOffset).toBe(6);
  });

  it('handles an event once, in the same transaction and later', async () => {
    const { owned, take, producer } = setUp();
    take(record(0, 'a'), record(1, 'a'));
    take(record(2, 'a'), record(3, 'b'));
    await owned.idle();
    expect(producer.committed.map(contents)).toMatchObject([
      { alerts: ['a'], next: [2] },
      { alerts: ['b'], next: [4] },
    ]);
  });

  it('makes what cannot be read a dead letter, in the same transaction', async () => {
    const { owned, take, producer } = setUp();
    take(record(0, 'a'), record(1, 'x', { value: Buffer.from('no Avro') }), record(2, 'b'));
    await owned.idle();
    expect(producer.committed.map(contents)).toMatchObject([
      { alerts: ['a', 'b'], dead: ['RECORD_NOT_READABLE'], next: [3] },
    ]);
  });

  it('gives outputs the trace of their event', async () => {
    const { owned, take, producer } = setUp();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    take(record(0, 'a', { headers: { traceparent: Buffer.from(traceparent) } }), record(1, 'b'));
    await owned.idle();
    expect(producer.committed[0]?.records.map(({ headers }) => headers)).toEqual([
      { traceparent },
      ...Array.from({ length: 4 }, () => undefined),
    ]);
  });

  it('waits while the registry is away, and parks nothing', async () => {
    const { owned, take, producer, registry, clock } = setUp();
    registry.isAway = true;
    take(record(0, 'a'));
    while (owned.waitingFor === undefined) await turn();
    expect(owned.waitingFor).toContain('the registry is away');
    registry.isAway = false;
    while (producer.committed.length === 0) {
      clock.advance(5_000);
      await turn();
    }
    expect(producer.committed.map(contents)).toMatchObject([{ alerts: ['a'], dead: [] }]);
  });

  it('has one tick at most waiting for its turn', async () => {
    const { owned, take, registry, clock, producer } = setUp();
    registry.isAway = true;
    take(record(0, 'a'));
    const ticks = Array.from({ length: 100 }, () => owned.tick());
    registry.isAway = false;
    while (producer.committed.length === 0) {
      clock.advance(5_000);
      await turn();
    }
    expect(new Set(ticks).size).toBeLessThanOrEqual(2);
  });

  it('commits nothing when nothing is due', async () => {
    const { owned, producer } = setUp();
    await Promise.race([owned.tick(), turn()]);
    await owned.idle();
    expect(producer.attempts).toBe(0);
  });
});

describe('a transaction that was aborted', () => {
  it('is tried again as it is, after a pause, while later events wait', async () => {
    const { owned, take, producer, clock } = setUp();
    producer.failures = [new TransactionAbortedError('x'), new TransactionAbortedError('x')];
    take(record(0, 'a'));
    take(record(1, 'b'));
    while (producer.committed.length < 2) {
      await turn();
      clock.advance(5_000);
    }
    await owned.idle();
    expect(producer.committed.map(contents)).toMatchObject([
      { alerts: ['a'], next: [1] },
      { alerts: ['b'], next: [2] },
    ]);
    expect(producer.attempts).toBe(4);
  });
});

describe('a partition that is lost', () => {
  it('says why, once, and does nothing more', async () => {
    const { owned, take, producer, ends } = setUp();
    producer.failures = [new NotMemberError('gone')];
    take(record(0, 'a'));
    take(record(1, 'b'));
    await owned.idle();
    expect(ends.map(({ name }) => name)).toEqual(['NotMemberError']);
    expect(producer.attempts).toBe(1);
  });

  it('does nothing more once it is told so', async () => {
    const { owned, take, producer, end, ends } = setUp();
    end.abort();
    take(record(0, 'a'));
    await owned.idle();
    expect([producer.attempts, ends]).toEqual([0, []]);
  });

  it('leaves a copy from which the next one goes on with what was committed', async () => {
    const folder = makeTestFolder();
    const before = setUp({ folder });
    before.take(record(0, 'a'));
    await before.owned.idle();
    before.producer.failures = [new NotMemberError('gone')];
    before.take(record(1, 'b'));
    await before.owned.close();
    const { copy, owned, take, producer } = setUp({ folder });
    expect([...copy.state.entries()].map(([key]) => key)).toEqual(['a']);
    take(record(0, 'a'), record(1, 'b'));
    await owned.idle();
    expect(producer.committed.map(contents)).toMatchObject([{ alerts: ['b'], progress: ['1@2'] }]);
  });
});

describe('outputs that Kafka never takes', () => {
  const refused = new RecordRefusedError('too large');

  it('are found by handling the events one by one, and their event becomes a dead letter', async () => {
    const [refusals, folder] = [new Refusals(), makeTestFolder()];
    const events = () => [record(0, 'a'), record(1, 'bad'), record(2, 'c')];
    const run = async (from: number, failures: (Error | undefined)[]) => {
      const { owned, take, producer, ends } = setUp({ refusals, folder });
      producer.failures = failures;
      take(...events().slice(from));
      await owned.close();
      return { committed: producer.committed.map(contents), ends: ends.map(({ name }) => name) };
    };
    expect(await run(0, [refused])).toEqual({ committed: [], ends: ['RecordRefusedError'] });
    expect(await run(0, [undefined, refused])).toMatchObject({
      committed: [{ alerts: ['a'], next: [1] }],
      ends: ['RecordRefusedError'],
    });
    expect(await run(1, [])).toMatchObject({
      committed: [
        { alerts: [], dead: ['OUTPUT_REFUSED'], next: [2] },
        { alerts: ['c'], next: [3] },
      ],
      ends: [],
    });
  });

  it('stop the partition when not even the dead letter is taken', async () => {
    const [refusals, folder] = [new Refusals(), makeTestFolder()];
    for (const expected of ['RecordRefusedError', 'PartitionStoppedError']) {
      const { owned, take, producer, ends } = setUp({ refusals, folder });
      producer.failures = [refused];
      take(record(0, 'bad'));
      await owned.close();
      expect(ends.map(({ name }) => name)).toEqual([expected]);
    }
  });

  it('stop the partition when they are due by time', async () => {
    const create = (): PartitionProcessor<ContentVerdict> => ({
      take: () => ({ kind: 'skip', why: 'nothing' }),
      tick: () => [anAlert(aVerdict())],
    });
    const { owned, producer, ends } = setUp({ create });
    producer.failures = [refused];
    void owned.tick();
    await owned.idle();
    expect(ends).toEqual([expect.any(PartitionStoppedError)]);
  });
});

describe('an effect', () => {
  class Unreachable extends AppError {
    readonly code = 'TEST_UNREACHABLE';
    readonly retryable = true;
  }

  interface Done {
    readonly id: string;
    readonly mayBeDone: boolean;
    /** Commits before it. */
    readonly commits: number;
  }

  /** A processor that keeps an intent for each event, and what it has done. */
  function setUpEffects({
    perform = async (_id: string): Promise<void> => undefined,
    ...more
  }: {
    perform?: (id: string) => Promise<void>;
    folder?: string;
    isOwner?: () => boolean;
  } = {}) {
    const done: Done[] = [];
    const create = (copy: LocalCopy<Standing>): PartitionProcessor<ContentVerdict> => ({
      take: ({ value }) => {
        copy.state.set(value.eventId, { strikes: [], mutedUntil: null });
        return { kind: 'ok' };
      },
      effects: {
        open: () => [...copy.state.entries()].map(([key]) => ({ id: key, key: key.charAt(0) })),
        perform: async ({ id }, { mayBeDone }) => {
          done.push({ id, mayBeDone, commits: place.producer.committed.length });
          await perform(id);
        },
        settle: ({ id }) => {
          copy.state.delete(id);
          return [anAlert(aVerdict({ eventId: id }))];
        },
      },
    });
    const place = setUp({ create, ...more });
    return { ...place, done };
  }

  async function until(isSo: () => boolean, clock?: ManualClock): Promise<void> {
    while (!isSo()) {
      await turn();
      clock?.advance(5_000);
    }
  }

  it('is performed when its intent is committed, and its outcome is committed with what closes it', async () => {
    const { take, producer, copy, done } = setUpEffects();
    take(record(0, 'a'));
    await until(() => producer.committed.length === 2);
    expect(done).toEqual([{ id: 'a', mayBeDone: false, commits: 1 }]);
    expect(producer.committed.map(contents)).toMatchObject([
      { alerts: [], state: ['a@2'], next: [1] },
      { alerts: ['a'], state: ['a@2'], progress: [], next: [1] },
    ]);
    expect(producer.committed[1]?.records.find(({ topic }) => topic === 'im.penalty.state.v1')?.value).toBeNull();
    expect([...copy.state.entries()]).toEqual([]);
  });

  it('is performed again by the next owner when its outcome was not committed, who is told that it may be done', async () => {
    const folder = makeTestFolder();
    const before = setUpEffects({ folder });
    before.take(record(0, 'a'));
    before.producer.failures = [undefined, new NotMemberError('gone')];
    await until(() => before.ends.length === 1);
    await before.owned.close();
    const { producer, done } = setUpEffects({ folder });
    await until(() => producer.committed.length === 1);
    expect(done).toEqual([{ id: 'a', mayBeDone: true, commits: 0 }]);
    expect(producer.committed.map(contents)).toMatchObject([{ alerts: ['a'] }]);
  });

  it('that fails is tried again, while the effects of other keys go on', async () => {
    let failures = 3;
    const perform = async (id: string): Promise<void> => {
      if (id === 'a1' && failures-- > 0) throw new Unreachable('no answer');
    };
    const { take, producer, clock, done } = setUpEffects({ perform });
    take(record(0, 'a1'), record(1, 'a2'), record(2, 'b1'));
    await until(() => producer.committed.length === 2);
    expect(contents(producer.committed[1] as Transaction).alerts).toEqual(['b1']);
    await until(() => producer.committed.length === 4, clock);
    expect(done.map(({ id }) => id)).toEqual(['a1', 'b1', 'a1', 'a1', 'a1', 'a2']);
    expect(done.filter(({ id }) => id === 'a1').map(({ mayBeDone }) => mayBeDone)).toEqual([false, true, true, true]);
  });

  it('is not performed while the group may have given the partition to somebody else', async () => {
    let isOwner = false;
    const { take, producer, clock, done } = setUpEffects({ isOwner: () => isOwner });
    take(record(0, 'a'));
    await until(() => producer.committed.length === 1);
    for (let seconds = 0; seconds < 20; seconds += 1) {
      clock.advance(1_000);
      await turn();
    }
    expect(done).toEqual([]);
    isOwner = true;
    await until(() => producer.committed.length === 2, clock);
    expect(done).toHaveLength(1);
  });

  it('is not begun any more when the partition is lost', async () => {
    const first = Promise.withResolvers<void>();
    const { take, producer, clock, end, done } = setUpEffects({ perform: () => first.promise });
    take(record(0, 'a1'), record(1, 'a2'));
    await until(() => done.length === 1);
    end.abort();
    first.resolve();
    for (let turns = 0; turns < 20; turns += 1) {
      clock.advance(1_000);
      await turn();
    }
    expect(done.map(({ id }) => id)).toEqual(['a1']);
    expect(producer.committed).toHaveLength(1);
  });

  it('that throws what is no failure of infrastructure ends the partition with it', async () => {
    const perform = () => Promise.reject(new TypeError('a bug'));
    const { take, ends } = setUpEffects({ perform });
    take(record(0, 'a'));
    await until(() => ends.length === 1);
    expect(ends).toEqual([new TypeError('a bug')]);
  });
});
