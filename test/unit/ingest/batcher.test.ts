import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batcher, type BatchLimits, QueueFullError } from '../../../ingest/publish/batcher.ts';
import { type OutgoingRecord, PartitionsFailedError } from '../../../lib/kafka/ports.ts';
import { RecordRefusedError } from '../../../lib/kafka/record-refused.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { ControlledSink } from '../../support/controlled-sink.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const noLimits: BatchLimits = { partitionBytes: 1e6, batchBytes: 1e7, queueBytes: 1e8 };

function record(key: string, { partition = 0, bytes = 0 } = {}): OutgoingRecord {
  return { topic: 't', partition, key: Buffer.from(key), value: Buffer.alloc(bytes), timestampMs: 0 };
}

function setUp(limits: Partial<BatchLimits> = {}) {
  const sink = new ControlledSink();
  const clock = new ManualClock();
  const batcher = new Batcher(sink, { ...noLimits, ...limits }, clock, silentLogger);
  return { sink, clock, batcher };
}

describe('Batcher', () => {
  it('sends at once when nothing is in flight, without a timer', async () => {
    const { sink, clock, batcher } = setUp();
    const durable = batcher.add(record('a'));
    const first = await sink.batch(0);
    expect(clock.waiting).toBe(0);
    first.succeed();
    await durable;
    expect(sink.keys).toEqual([['a']]);
  });

  it('collects what comes while a batch is in flight', async () => {
    const { sink, batcher } = setUp();
    const durable = [batcher.add(record('a'))];
    const first = await sink.batch(0);
    durable.push(batcher.add(record('b')), batcher.add(record('c')));
    await turn();
    expect(sink.keys).toEqual([['a']]);
    first.succeed();
    (await sink.batch(1)).succeed();
    await Promise.all(durable);
    expect(sink.keys).toEqual([['a'], ['b', 'c']]);
  });

  it('sends records that are added in one go together', async () => {
    const { sink, batcher } = setUp();
    const durable = [batcher.add(record('a')), batcher.add(record('b'))];
    (await sink.batch(0)).succeed();
    await Promise.all(durable);
    expect(sink.keys).toEqual([['a', 'b']]);
  });

  it('says durable only after the sink did', async () => {
    const { sink, batcher } = setUp();
    let isDurable = false;
    const durable = batcher.add(record('a')).then(() => {
      isDurable = true;
    });
    const first = await sink.batch(0);
    await turn();
    expect(isDurable).toBe(false);
    first.succeed();
    await durable;
    expect(isDurable).toBe(true);
  });

  it('bounds the bytes of a partition in a batch, and lets no later record of it overtake', async () => {
    const { sink, batcher } = setUp({ partitionBytes: 1000 });
    const durable = [
      batcher.add(record('a', { bytes: 600 })),
      batcher.add(record('b', { bytes: 600 })),
      batcher.add(record('c', { bytes: 10 })),
      batcher.add(record('other', { partition: 1, bytes: 600 })),
    ];
    (await sink.batch(0)).succeed();
    (await sink.batch(1)).succeed();
    await Promise.all(durable);
    expect(sink.keys).toEqual([
      ['a', 'other'],
      ['b', 'c'],
    ]);
  });

  it('sends a record that is larger than the bound alone in its partition', async () => {
    const { sink, batcher } = setUp({ partitionBytes: 1000 });
    const durable = [batcher.add(record('huge', { bytes: 5000 })), batcher.add(record('small'))];
    (await sink.batch(0)).succeed();
    (await sink.batch(1)).succeed();
    await Promise.all(durable);
    expect(sink.keys).toEqual([['huge'], ['small']]);
  });

  it('gives every partition its turn when a batch cannot hold all', async () => {
    const { sink, batcher } = setUp({ partitionBytes: 1000, batchBytes: 1000 });
    const durable = ['a', 'b', 'c', 'a', 'b', 'c'].map((key, index) =>
      batcher.add(record(key, { partition: index % 3, bytes: 900 })),
    );
    for (let index = 0; index < 6; index += 1) (await sink.batch(index)).succeed();
    await Promise.all(durable);
    expect(sink.keys.flat()).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('refuses at once what does not fit into the queue, and takes more when it has drained', async () => {
    const { sink, batcher } = setUp({ queueBytes: 1000 });
    const first = batcher.add(record('a', { bytes: 800 }));
    await expect(batcher.add(record('b', { bytes: 800 }))).rejects.toThrow(QueueFullError);
    (await sink.batch(0)).succeed();
    await first;
    expect(batcher.queuedBytes).toBe(0);
    const second = batcher.add(record('c', { bytes: 800 }));
    (await sink.batch(1)).succeed();
    await second;
  });

  it('counts headers, which may be larger than the rest', async () => {
    const { batcher } = setUp({ queueBytes: 1000 });
    void batcher.add(record('b', { bytes: 1 }));
    const large = { ...record('a'), headers: { ce_type: 'x'.repeat(400) } };
    await expect(batcher.add(large)).rejects.toThrow(QueueFullError);
  });

  it('sends what failed again, unchanged and first, after pauses that grow to 5 s', async () => {
    const { sink, clock, batcher } = setUp();
    const durable = [batcher.add(record('a'))];
    (await sink.batch(0)).fail(new Error('broker away'));
    durable.push(batcher.add(record('b')));
    for (const [attempt, pauseMs] of [100, 200, 400, 800, 1600, 3200, 5000, 5000].entries()) {
      await turn();
      clock.advance(pauseMs - 1);
      await turn();
      expect(sink.sent).toHaveLength(attempt + 1);
      clock.advance(1);
      (await sink.batch(attempt + 1)).fail(new Error('broker away'));
    }
    await turn();
    clock.advance(5000);
    (await sink.batch(9)).succeed();
    await Promise.all(durable);
    expect(sink.keys).toEqual([['a'], ...Array.from({ length: 9 }, () => ['a', 'b'])]);
  });

  it('tells since when something waits, and when anything was last acknowledged', async () => {
    const { sink, clock, batcher } = setUp();
    const startMs = clock.nowMs();
    expect(batcher.waitingSinceMs).toBeUndefined();
    const first = batcher.add(record('a'));
    const batch = await sink.batch(0);
    clock.advance(50);
    const second = batcher.add(record('b'));
    expect(batcher.waitingSinceMs).toBe(startMs);
    batch.succeed();
    await first;
    const next = await sink.batch(1);
    expect(batcher.lastSuccessMs).toBe(startMs + 50);
    expect(batcher.waitingSinceMs).toBe(startMs + 50);
    next.succeed();
    await second;
    await batcher.drained();
    expect(batcher.waitingSinceMs).toBeUndefined();
  });

  it('holds back only the partition that is in trouble', async () => {
    const { sink, clock, batcher } = setUp();
    const sick = batcher.add(record('sick', { partition: 0 }));
    const healthy = batcher.add(record('healthy', { partition: 1 }));
    (await sink.batch(0)).fail(new Error('not enough replicas'));
    // Kafka's client fails the whole batch, so each partition is tried by itself.
    (await sink.batch(1)).fail(new Error('not enough replicas'));
    (await sink.batch(2)).succeed();
    await healthy;
    await turn();

    const later = batcher.add(record('later', { partition: 1 }));
    const behind = batcher.add(record('behind', { partition: 0 }));
    (await sink.batch(3)).succeed();
    await later;
    expect(sink.keys).toEqual([['sick', 'healthy'], ['sick'], ['healthy'], ['later']]);

    clock.advance(100);
    (await sink.batch(4)).succeed();
    await Promise.all([sick, behind]);
    expect(sink.keys.at(-1)).toEqual(['sick', 'behind']);
  });

  it('sends nothing again that has been taken, when the sink names the partitions that failed', async () => {
    const { sink, batcher } = setUp();
    const sick = batcher.add(record('sick', { partition: 0 }));
    const healthy = batcher.add(record('healthy', { partition: 1 }));
    (await sink.batch(0)).fail(new PartitionsFailedError('no leader', [{ topic: 't', partition: 0 }]));
    await healthy;
    (await sink.batch(1)).succeed();
    await sick;
    expect(sink.keys).toEqual([['sick', 'healthy'], ['sick']]);
    await batcher.drained();
    expect(batcher.waitingSinceMs).toBeUndefined();
  });

  it('gives up only the record that the broker refuses for good, found by halves', async () => {
    const { sink, batcher } = setUp();
    const added = ['a', 'b', 'bad', 'c'].map((key) => ({ key, durable: batcher.add(record(key)) }));
    const refusal = new RecordRefusedError('too large');
    const outcome = Promise.allSettled(added.map(({ durable }) => durable));
    for (const [index, result] of ['no', 'ok', 'no', 'no', 'ok'].entries()) {
      const batch = await sink.batch(index);
      if (result === 'ok') batch.succeed();
      else batch.fail(refusal);
    }
    expect((await outcome).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(sink.keys).toEqual([['a', 'b', 'bad', 'c'], ['a', 'b'], ['bad', 'c'], ['bad'], ['c']]);
    expect(batcher.queuedBytes).toBe(0);
  });

  it('keeps order when the broker goes away while a refused record is looked for', async () => {
    const { sink, clock, batcher } = setUp();
    const durable = ['a', 'b'].map((key) => batcher.add(record(key)));
    (await sink.batch(0)).fail(new RecordRefusedError('too large'));
    (await sink.batch(1)).fail(new Error('broker away'));
    durable.push(batcher.add(record('c')));
    await turn();
    clock.advance(100);
    (await sink.batch(2)).succeed();
    await Promise.all(durable);
    expect(sink.keys).toEqual([['a', 'b'], ['a'], ['a', 'b', 'c']]);
  });

  it('drained resolves when nothing waits or is in flight', async () => {
    const { sink, batcher } = setUp();
    await batcher.drained();
    const durable = batcher.add(record('a'));
    const drained = batcher.drained();
    (await sink.batch(0)).succeed();
    await Promise.all([durable, drained]);
    expect(batcher.queuedRecords).toBe(0);
  });

  it('keeps the order of each partition and loses nothing, whatever fails and however large records are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ partition: fc.nat({ max: 2 }), bytes: fc.nat({ max: 600 }) }), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        async (plan, failures) => {
          const { sink, clock, batcher } = setUp({ partitionBytes: 1000, batchBytes: 2000 });
          const durable = plan.map((about, index) => batcher.add(record(String(index), about)));
          const written: OutgoingRecord[] = [];
          let isDone = false;
          const done = Promise.all(durable).then(() => {
            isDone = true;
          });
          for (let index = 0; !isDone; ) {
            const batch = sink.sent[index];
            if (batch === undefined) {
              await turn();
              clock.advance(100);
              continue;
            }
            if (failures[index] === true) batch.fail(new Error('away'));
            else {
              written.push(...batch.records);
              batch.succeed();
            }
            index += 1;
            await turn();
          }
          await done;
          for (const partition of [0, 1, 2]) {
            const keys = written
              .filter((each) => each.partition === partition)
              .map(({ key }) => Number(key.toString()));
            expect(keys).toEqual(keys.toSorted((a, b) => a - b));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
