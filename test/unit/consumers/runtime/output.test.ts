import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createConsumerMetrics } from '../../../../consumers/runtime/metrics.ts';
import { writeOutputs } from '../../../../consumers/runtime/output.ts';
import { RecordRefusedError } from '../../../../lib/kafka/record-refused.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { decodeAs, schemaIdOf } from '../../../../schemas/codec.ts';
import { RecordWriter, type TopicRecord } from '../../../../schemas/record-writer.ts';
import { avroType, recordSchemas } from '../../../../schemas/records.ts';
import { ControlledSink } from '../../../support/controlled-sink.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { aVerdict } from '../../../support/verdicts.ts';

const destinations = new Map([['verdict', { topic: 'im.verdict.v1', partitions: 12, schemaId: 7 }] as const]);

function record(key: string): TopicRecord {
  return { topic: 'verdict', key, value: aVerdict({ fromAccount: key }), timestampMs: 1_700_000_000_000 };
}

function setUp() {
  const sink = new ControlledSink();
  const clock = new ManualClock();
  const metrics = createConsumerMetrics();
  const stop = new AbortController();
  const options = { sink, writer: new RecordWriter(destinations), metrics, clock, logger: silentLogger };
  const write = (...keys: readonly string[]) => writeOutputs(keys.map(record), options, stop.signal);
  return { sink, clock, metrics, stop, write };
}

async function writtenOf({ registry }: ReturnType<typeof createConsumerMetrics>): Promise<unknown> {
  const metric = await registry.getSingleMetric('consumer_records_written_total')?.get();
  return metric?.values.map(({ labels, value }) => [labels['topic'], value]);
}

describe('writeOutputs', () => {
  it('encodes the records, sends them together, and resolves when they are durable', async () => {
    const { sink, metrics, write } = setUp();
    let isDurable = false;
    const written = write('a', 'b').then(() => {
      isDurable = true;
    });
    const batch = await sink.batch(0);
    await turn();
    expect(isDurable).toBe(false);
    expect(await writtenOf(metrics)).toEqual([]);
    batch.succeed();
    await written;
    expect(sink.keys).toEqual([['a', 'b']]);
    const [first] = batch.records;
    const value = first?.value ?? Buffer.alloc(0);
    expect(first).toMatchObject({ topic: 'im.verdict.v1', timestampMs: 1_700_000_000_000 });
    expect(schemaIdOf(value)).toBe(7);
    expect(decodeAs(avroType(recordSchemas.ContentVerdict), value)).toMatchObject({ fromAccount: 'a' });
    expect(await writtenOf(metrics)).toEqual([['verdict', 2]]);
  });

  it('has nothing to do for no records', async () => {
    const { sink, write } = setUp();
    await write();
    expect(sink.sent).toEqual([]);
  });

  it('sends what failed again, unchanged, after pauses that grow to 5 s', async () => {
    const { sink, clock, metrics, write } = setUp();
    const written = write('a', 'b');
    for (const [attempt, pauseMs] of [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000].entries()) {
      (await sink.batch(attempt)).fail(new Error('broker away'));
      await turn();
      clock.advance(pauseMs - 1);
      await turn();
      expect(sink.sent).toHaveLength(attempt + 1);
      clock.advance(1);
    }
    (await sink.batch(8)).succeed();
    await written;
    expect(sink.keys).toEqual(Array.from({ length: 9 }, () => ['a', 'b']));
    expect(await writtenOf(metrics)).toEqual([['verdict', 2]]);
  });

  it('gives up after a failure when nobody waits any more', async () => {
    const { sink, clock, stop, write } = setUp();
    const written = write('a');
    (await sink.batch(0)).fail(new Error('broker away'));
    await turn();
    stop.abort(new Error('somebody else has the partition'));
    clock.advance(100);
    await expect(written).rejects.toThrow('somebody else has the partition');
    expect(sink.sent).toHaveLength(1);
  });

  it('throws a refusal of a single record at once, for no attempt will change it', async () => {
    const { sink, clock, write } = setUp();
    const written = write('huge');
    (await sink.batch(0)).fail(new RecordRefusedError('too large'));
    await expect(written).rejects.toThrow(RecordRefusedError);
    expect(clock.waiting).toBe(0);
  });

  it('sends halves of what is refused together, in order: Kafka bounds what comes at a time for a partition', async () => {
    const { sink, metrics, write } = setUp();
    const written = write('a', 'b', 'c');
    (await sink.batch(0)).fail(new RecordRefusedError('too large'));
    (await sink.batch(1)).fail(new RecordRefusedError('too large'));
    for (const index of [2, 3, 4]) (await sink.batch(index)).succeed();
    await written;
    expect(sink.keys).toEqual([['a', 'b', 'c'], ['a', 'b'], ['a'], ['b'], ['c']]);
    expect(await writtenOf(metrics)).toEqual([['verdict', 3]]);
  });

  it('throws for a topic that the service has no destination for', async () => {
    const { sink, clock, metrics, stop } = setUp();
    const writer = new RecordWriter(new Map());
    const options = { sink, writer, metrics, clock, logger: silentLogger };
    await expect(writeOutputs([record('a')], options, stop.signal)).rejects.toThrow('No destination for topic verdict');
  });
});
