import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { TopicConsumer } from '../../../../consumers/runtime/consumer.ts';
import { EventDecoder } from '../../../../consumers/runtime/decoder.ts';
import { createConsumerMetrics } from '../../../../consumers/runtime/metrics.ts';
import type { Outcome, PartitionProcessor, Received } from '../../../../consumers/runtime/processor.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { RecordEncoder } from '../../../../schemas/codec.ts';
import type { TopicRecord } from '../../../../schemas/record-writer.ts';
import { avroType, recordSchemas } from '../../../../schemas/records.ts';
import { RegistryUnavailableError } from '../../../../schemas/registry.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { StandInGroup } from '../../../support/stand-in-group.ts';
import { aRegistry } from '../../../support/stand-in-registry.ts';
import { aVerdict } from '../../../support/verdicts.ts';

const encoder = new RecordEncoder('ContentVerdict', 1);

/** A verdict with this eventId, as it stands on the topic. */
function bytes(eventId: string): Buffer {
  return encoder.encode(aVerdict({ eventId }));
}

/** What an event or the time leads to: a record that names it. */
function output(name: string): TopicRecord<'alert'> {
  return { topic: 'alert', key: name, timestampMs: 0 } as TopicRecord<'alert'>;
}

/** Writes each event; "parked", "skipped" and "bug" lead to what they say. */
class NamingProcessor implements PartitionProcessor<'ContentVerdict'> {
  readonly taken: bigint[] = [];
  ticks: string[] = [];
  resume: bigint | undefined;

  take({ value, offset }: Received<'ContentVerdict'>): Outcome {
    this.taken.push(offset);
    if (value.eventId === 'bug') throw new Error('a bug');
    if (value.eventId === 'skipped') return { kind: 'skip', why: 'no need' };
    if (value.eventId === 'parked') return { kind: 'park', reason: 'TOO_ODD' as never, detail: 'It is odd' };
    return { kind: 'ok', outputs: [output(value.eventId)] };
  }

  tick(): readonly TopicRecord[] {
    return this.ticks.splice(0).map(output);
  }

  resumeOffset(): bigint | undefined {
    return this.resume;
  }
}

async function setUp({ start = true } = {}) {
  const group = new StandInGroup('im.verdict.v1');
  const clock = new ManualClock();
  const registry = aRegistry({ 1: avroType(recordSchemas.ContentVerdict) });
  const processors: NamingProcessor[] = [];
  const written: (readonly string[])[] = [];
  const bugs: string[] = [];
  const about = { write: () => Promise.resolve(), restored: Promise.resolve() };
  const consumer = new TopicConsumer({
    kafka: group.kafka,
    service: 'penalties',
    groupId: 'im.penalties',
    topic: 'im.verdict.v1',
    decoder: new EventDecoder('ContentVerdict', registry),
    createProcessors: async (partitions) => {
      await about.restored;
      const made = partitions.map((partition) => [partition, new NamingProcessor()] as const);
      processors.push(...made.map(([, processor]) => processor));
      return new Map(made);
    },
    write: async (records) => {
      if (records.length === 0) return;
      await about.write();
      written.push(records.map(({ topic, key }) => (topic === 'dead-letter' ? `dead-letter ${key}` : key)));
      group.log.push('write');
    },
    metrics: createConsumerMetrics(),
    clock,
    logger: silentLogger,
    onBug: (error) => bugs.push(error.message),
  });
  if (start) {
    await consumer.start();
    group.assign(0);
    await turn();
    group.log.length = 0;
  }
  const tick = async (): Promise<void> => {
    clock.advance(1_000);
    await turn();
  };
  return { group, clock, registry, consumer, processors, written, bugs, about, tick };
}

describe('a batch', () => {
  it('is taken in order, its outputs are written, and only then the offset behind it is committed', async () => {
    const { group, processors, written } = await setUp();
    const { done, resolved } = group.deliver(0, 5, [bytes('a'), bytes('b'), bytes('skipped')]);
    await done;
    expect(processors[0]?.taken).toEqual([5n, 6n, 7n]);
    expect(written).toEqual([['a', 'b']]);
    expect(group.log).toEqual(['write', 'commit 0@8']);
    expect(resolved).toEqual(['7']);
  });

  it('that is long is committed every 500 events', async () => {
    const { group } = await setUp();
    const { done, resolved } = group.deliver(0, 0, Array<Buffer>(1_200).fill(bytes('skipped')));
    await done;
    expect(group.log).toEqual(['commit 0@500', 'commit 0@1000', 'commit 0@1200']);
    expect(resolved).toEqual(['499', '999', '1199']);
  });

  it('is committed up to where its processor wants to begin again, once', async () => {
    const { group, processors } = await setUp();
    const [processor] = processors;
    if (processor !== undefined) processor.resume = 3n;
    await group.deliver(0, 5, [bytes('skipped')]).done;
    await group.deliver(0, 6, [bytes('skipped')]).done;
    expect(group.log).toEqual(['commit 0@3']);
  });

  it('goes on behind what cannot be decoded or handled, which becomes a dead letter', async () => {
    const { group, written } = await setUp();
    await group.deliver(0, 5, [Buffer.from('no Avro'), bytes('parked'), null, bytes('a')]).done;
    expect(written).toEqual([['dead-letter key', 'dead-letter key', 'dead-letter key', 'a']]);
    expect(group.log).toEqual(['write', 'commit 0@9']);
  });

  it('waits while the registry is away', async () => {
    const { group, clock, registry, written } = await setUp();
    registry.failure = new RegistryUnavailableError('away');
    const { done } = group.deliver(0, 5, [bytes('a')]);
    await turn();
    clock.advance(999);
    await turn();
    registry.failure = undefined;
    expect(written).toEqual([]);
    clock.advance(1);
    await done;
    expect(written).toEqual([['a']]);
  });

  it('waits until its partition is restored', async () => {
    const { group, about, consumer, written } = await setUp({ start: false });
    const restored = Promise.withResolvers<void>();
    about.restored = restored.promise;
    expect(consumer.waitingFor).toBe('waiting for partitions from the consumer group');
    await consumer.start();
    group.assign(0);
    expect(consumer.waitingFor).toBe('reading back what was written before');
    const { done } = group.deliver(0, 5, [bytes('a')]);
    await turn();
    expect(written).toEqual([]);
    restored.resolve();
    await done;
    expect(consumer.waitingFor).toBeUndefined();
    expect(written).toEqual([['a']]);
  });
});

describe('each second', () => {
  it('what is due is written, and then committed', async () => {
    const { group, processors, written, tick } = await setUp();
    const [processor] = processors;
    if (processor !== undefined) processor.resume = 5n;
    await group.deliver(0, 5, [bytes('skipped')]).done;
    processor?.ticks.push('row');
    if (processor !== undefined) processor.resume = undefined;
    await tick();
    expect(written).toEqual([['row']]);
    expect(group.log).toEqual(['commit 0@5', 'write', 'commit 0@6']);
    processor?.ticks.push('row 2');
    await tick();
    expect(written).toEqual([['row'], ['row 2']]);
  });

  it('nothing is written in the midst of a batch', async () => {
    const { group, processors, about, written, tick } = await setUp();
    const write = Promise.withResolvers<void>();
    about.write = () => write.promise;
    const { done } = group.deliver(0, 5, [bytes('a')]);
    await turn();
    processors[0]?.ticks.push('row');
    await tick();
    expect(processors[0]?.ticks).toEqual(['row']);
    write.resolve();
    await done;
    await turn();
    expect(written).toEqual([['a'], ['row']]);
  });
});

describe('a rebalance', () => {
  it('begins each partition anew, with a new processor', async () => {
    const { group, processors } = await setUp();
    await group.deliver(0, 5, [bytes('a')]).done;
    group.assign(0, 1);
    await turn();
    expect(processors).toHaveLength(3);
    await group.deliver(1, 0, [bytes('b')]).done;
    expect(processors.map(({ taken }) => taken)).toEqual([[5n], [], [0n]]);
  });

  it('asks for what is to be taken again, so that batches which were fetched before are stale', async () => {
    const { group, processors } = await setUp();
    const [processor] = processors;
    if (processor !== undefined) processor.resume = 3n;
    await group.deliver(0, 5, [bytes('skipped')]).done;
    group.assign(0, 1);
    expect(group.log).toEqual(['commit 0@3', 'seek 0@3']);
  });

  it('drops what has begun: nothing of it is committed, and the new processor is not told that it is done', async () => {
    const { group, about, bugs } = await setUp();
    const write = Promise.withResolvers<void>();
    about.write = () => write.promise;
    const { done, resolved } = group.deliver(0, 5, [bytes('a')]);
    await turn();
    group.assign(0);
    write.resolve();
    await done;
    expect(group.log).toEqual(['seek 0@5', 'write']);
    expect(resolved).toEqual([]);
    expect(bugs).toEqual([]);
  });

  it('is not held up by a restore that has failed since', async () => {
    const { group, about, bugs } = await setUp();
    const restored = Promise.withResolvers<void>();
    about.restored = restored.promise;
    group.assign(1);
    about.restored = Promise.resolve();
    group.assign(2);
    restored.reject(new Error('superseded'));
    await turn();
    await group.deliver(2, 0, [bytes('a')]).done;
    expect(bugs).toEqual([]);
  });
});

describe('a bug', () => {
  it('of a processor is told, and what was taken with the event is committed by nobody', async () => {
    const { group, bugs, written, about, tick, processors } = await setUp();
    const write = Promise.withResolvers<void>();
    about.write = () => write.promise;
    const first = group.deliver(0, 5, [bytes('a')]);
    await turn();
    const { done, resolved } = group.deliver(0, 6, [bytes('b'), bytes('bug'), bytes('c')]);
    await turn();
    processors[0]?.ticks.push('row');
    await tick();
    write.resolve();
    await Promise.all([first.done, done]);
    await turn();
    expect(written).toEqual([['a']]);
    expect(group.log).toEqual(['write', 'commit 0@6']);
    expect(resolved).toEqual([]);
    expect(new Set(bugs)).toEqual(new Set(['a bug']));
  });

  it('is an output that is refused for good, and a restore that fails', async () => {
    const { group, about, bugs } = await setUp();
    about.write = () => Promise.reject(new Error('refused'));
    await group.deliver(0, 5, [bytes('a')]).done;
    about.restored = Promise.reject(new Error('no restore'));
    group.assign(0);
    await turn();
    expect(bugs).toEqual(['refused', 'no restore']);
    expect(group.log).toEqual(['seek 0@5']);
  });

  it('is a consumer that does not go on, one that starts again is none', async () => {
    const { group, bugs } = await setUp();
    group.crash(new Error('passes'), true);
    group.crash(new Error('stays'), false);
    expect(bugs).toEqual(['stays']);
  });
});

describe('stop', () => {
  it('leaves the group, and neither ticks nor takes anything after', async () => {
    const { group, clock, consumer, processors } = await setUp();
    await consumer.stop();
    expect(group.log).toEqual(['leave']);
    expect(clock.waiting).toBe(0);
    await group.deliver(0, 5, [bytes('a')]).done;
    expect(processors[0]?.taken).toEqual([]);
  });

  it('while it joins leaves the group once it has, and takes no partitions', async () => {
    const { group, clock, consumer, processors } = await setUp({ start: false });
    const joining = Promise.withResolvers<void>();
    group.joining = joining.promise;
    const started = consumer.start();
    await turn();
    await consumer.stop();
    group.assign(0);
    joining.resolve();
    await started;
    expect(group.log).toEqual(['join', 'leave', 'leave']);
    expect(processors).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});
