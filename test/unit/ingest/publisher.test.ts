import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Batcher } from '../../../ingest/publish/batcher.ts';
import { EventPreparer, EventTooLargeError } from '../../../ingest/publish/prepared.ts';
import { Publisher } from '../../../ingest/publish/publisher.ts';
import { SpoolError } from '../../../ingest/spool/spool.ts';
import type { IngestTopicId } from '../../../ingest/tencent/request.ts';
import { partitionOf } from '../../../lib/kafka/partitioner.ts';
import { RecordRefusedError } from '../../../lib/kafka/record-refused.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { decodeAs, schemaIdOf } from '../../../schemas/codec.ts';
import { avroType, recordSchemas } from '../../../schemas/records.ts';
import { eventsOf, receivedAtMs, sdkAppId, smallestVerdict, verdictCommand } from '../../support/callbacks.ts';
import { ControlledSink } from '../../support/controlled-sink.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemorySpool } from '../../support/memory-spool.ts';

const destinations = new Map<IngestTopicId, { topic: string; partitions: number; schemaId: number }>([
  ['verdict', { topic: 'im.verdict.v1', partitions: 12, schemaId: 7 }],
  ['push', { topic: 'im.push.v1', partitions: 12, schemaId: 10 }],
  ['callback', { topic: 'im.callback.v1', partitions: 12, schemaId: 8 }],
  ['dead-letter', { topic: 'im.dead-letter.v1', partitions: 12, schemaId: 9 }],
]);

function setUp({ cloudEvents = false, open = true, keepsRefused = true } = {}) {
  const sink = new ControlledSink();
  const clock = new ManualClock();
  const limits = { partitionBytes: 1e6, batchBytes: 1e7, queueBytes: 1e5 };
  const batcher = new Batcher(sink, limits, clock, silentLogger);
  const spool = new MemorySpool();
  const quarantined: string[] = [];
  let wakes = 0;
  const publisher = new Publisher({
    preparer: new EventPreparer(cloudEvents),
    batcher,
    spool,
    quarantine: {
      keepRecord: ({ key }) =>
        keepsRefused ? Promise.resolve(`quarantine/${key.toString()}`) : Promise.reject(new Error('ENOSPC')),
    },
    clock,
    deadlineMs: 1200,
    onSpooling: () => {
      wakes += 1;
    },
    onQuarantined: (_record, path) => quarantined.push(path),
  });
  if (open) {
    publisher.open(destinations);
    publisher.resume();
  }
  return { sink, clock, publisher, spool, quarantined, wakes: () => wakes };
}

const verdict = () => eventsOf({ command: verdictCommand, body: { ...smallestVerdict, From_Account: 'jared' } });

describe('Publisher', () => {
  it('writes an event in wire format, with its key, partition and time, and no headers', async () => {
    const { sink, publisher } = setUp();
    const [event] = verdict();
    const published = publisher.publish(verdict(), undefined);
    const batch = await sink.batch(0);
    const [record] = batch.records;
    batch.succeed();
    await published;
    expect(record).toMatchObject({ topic: 'im.verdict.v1', timestampMs: receivedAtMs });
    expect(record?.headers).toBeUndefined();
    expect(record?.key.toString()).toBe(`${sdkAppId}/jared`);
    expect(record?.partition).toBe(partitionOf(Buffer.from(`${sdkAppId}/jared`), 12));
    const value = record?.value ?? Buffer.alloc(0);
    expect(schemaIdOf(value)).toBe(7);
    expect({ ...(decodeAs(avroType(recordSchemas.ContentVerdict), value) as object) }).toMatchObject({
      ...event?.value,
      eventId: expect.any(String),
    });
  });

  it('passes a trace context on', async () => {
    const { sink, publisher } = setUp();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    void publisher.publish(verdict(), traceparent);
    expect((await sink.batch(0)).records[0]?.headers).toEqual({ traceparent });
  });

  it('adds CloudEvents headers when they are wanted', async () => {
    const { sink, publisher } = setUp({ cloudEvents: true });
    const events = [...verdict(), ...eventsOf({ body: '[' })];
    void publisher.publish(events, undefined);
    const { records } = await sink.batch(0);
    expect(records.map(({ headers }) => headers)).toEqual([
      {
        ce_specversion: '1.0',
        ce_id: events[0]?.value.eventId,
        ce_type: 'com.tencent.im.ContentCallback.ResultNotify',
        ce_source: '/tencent-im/1400187352',
        'content-type': 'application/avro',
      },
      expect.objectContaining({ ce_type: 'com.tencent.im', ce_id: events[1]?.value.eventId }),
    ]);
  });

  it('resolves when all events of a batch are durable', async () => {
    const { sink, publisher } = setUp();
    const body = { Events: [{ EventTime: 1 }, { EventTime: 2 }] };
    let isPublished = false;
    const published = publisher.publish(eventsOf({ command: 'Push.OfflinePush', body }), undefined).then(() => {
      isPublished = true;
    });
    const batch = await sink.batch(0);
    expect(batch.records).toHaveLength(2);
    await turn();
    expect(isPublished).toBe(false);
    batch.succeed();
    await published;
  });

  it('says that Kafka has it', async () => {
    const { sink, publisher } = setUp();
    const published = publisher.publish(verdict(), undefined);
    (await sink.batch(0)).succeed();
    expect(await published).toBe('kafka');
  });

  it('resolves at once for no events', async () => {
    const { publisher, sink } = setUp();
    await publisher.publish([], undefined);
    expect(sink.sent).toHaveLength(0);
  });
});

/** A verdict of this sender. */
const from = (account: string) =>
  eventsOf({ command: verdictCommand, body: { ...smallestVerdict, From_Account: account } });

describe('an event that Kafka does not take in time', () => {
  it('goes to the spool at the deadline, and with it everything behind it, in order', async () => {
    const { sink, clock, publisher, spool, wakes } = setUp();
    const first = publisher.publish(from('a'), undefined);
    await sink.batch(0);
    clock.advance(1_000);
    const second = publisher.publish(from('b'), undefined);
    clock.advance(200);
    expect(await first).toBe('disk');
    expect(await second).toBe('disk');
    expect(await publisher.publish(from('c'), undefined)).toBe('disk');
    expect(spool.keys).toEqual(['a', 'b', 'c'].map((account) => `${sdkAppId}/${account}`));
    expect(publisher.way).toBe('disk');
    expect(wakes()).toBeGreaterThan(0);
  });

  it('is kept with its schema, body, time and headers', async () => {
    const { clock, publisher, spool } = setUp();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const published = publisher.publish(from('a'), traceparent);
    clock.advance(1_200);
    await published;
    const [record] = spool.records;
    expect(record).toMatchObject({ topic: 'verdict', timestampMs: receivedAtMs, headers: { traceparent } });
    const type = avroType(recordSchemas.ContentVerdict);
    expect(record?.fingerprint.equals(type.fingerprint())).toBe(true);
    expect(type.fromBuffer(record?.body ?? Buffer.alloc(0))).toMatchObject({ fromAccount: 'a' });
  });

  it('may reach Kafka after all, and is answered once', async () => {
    const { sink, clock, publisher } = setUp();
    const published = publisher.publish(from('a'), undefined);
    const batch = await sink.batch(0);
    clock.advance(1_200);
    expect(await published).toBe('disk');
    batch.succeed();
    await turn();
    expect(clock.waiting).toBe(0);
  });

  it('is on Kafka when that was said while the process could not listen, and others stay there too', async () => {
    const { sink, clock, publisher, spool } = setUp();
    const published = publisher.publish(from('a'), undefined);
    const batch = await sink.batch(0);
    clock.advance(5_000);
    batch.succeed();
    expect(await published).toBe('kafka');
    await turn();
    expect(publisher.way).toBe('kafka');
    expect(spool.records).toEqual([]);
  });

  it('is refused when the disk fails too', async () => {
    const { clock, publisher, spool } = setUp();
    spool.isFailing = true;
    const published = publisher.publish(from('a'), undefined);
    clock.advance(1_200);
    await expect(published).rejects.toThrow(SpoolError);
    await expect(publisher.publish(from('b'), undefined)).rejects.toThrow(SpoolError);
  });

  it('is refused before Tencent stops to wait when the disk does not answer either', async () => {
    const { clock, publisher, spool } = setUp();
    spool.isStuck = true;
    const published = publisher.publish(from('a'), undefined);
    clock.advance(1_200);
    await turn();
    const behind = publisher.publish(from('b'), undefined);
    clock.advance(600);
    await expect(published).rejects.toThrow('The disk has not taken the event within 600 ms');
    clock.advance(1_200);
    await expect(behind).rejects.toThrow('The disk has not taken the event within 1800 ms');
    expect(clock.waiting).toBe(0);
  });

  it('goes to the spool at once when the queue in front of Kafka is full', async () => {
    const { publisher, spool } = setUp();
    const large = eventsOf({ command: 'A.B', body: { EventTime: 1, Text: 'x'.repeat(60_000) } });
    void publisher.publish(large, undefined);
    expect(await publisher.publish(large, undefined)).toBe('disk');
    expect(spool.records).toHaveLength(2);
  });
});

describe('before Kafka and the registry have answered', () => {
  it('events go to the spool', async () => {
    const { publisher, spool, sink } = setUp({ open: false });
    expect(await publisher.publish(from('a'), undefined)).toBe('disk');
    expect(spool.records).toHaveLength(1);
    expect(sink.sent).toHaveLength(0);
    expect(publisher.resume()).toBe(false);
  });
});

describe('when the spool has been drained', () => {
  it('events go to Kafka again, and not before', async () => {
    const { sink, clock, publisher, spool } = setUp();
    void publisher.publish(from('a'), undefined);
    await sink.batch(0);
    clock.advance(1_200);
    await turn();
    expect(publisher.resume()).toBe(false);
    spool.records.length = 0;
    expect(publisher.resume()).toBe(true);
    const published = publisher.publish(from('b'), undefined);
    (await sink.batch(0)).succeed();
    (await sink.batch(1)).succeed();
    expect(await published).toBe('kafka');
  });

  it('what comes while the last of it is on its way is held back, and goes behind it', async () => {
    const { clock, publisher, spool } = setUp();
    void publisher.publish(from('a'), undefined);
    clock.advance(1_200);
    publisher.hold();
    let isPublished = false;
    const held = publisher.publish(from('b'), undefined).then((way) => {
      isPublished = true;
      return way;
    });
    await turn();
    expect(isPublished).toBe(false);
    expect(spool.records).toHaveLength(1);
    clock.advance(700);
    expect(await held).toBe('disk');
    expect(spool.keys).toEqual([`${sdkAppId}/a`, `${sdkAppId}/b`]);
  });

  it('what was held back has the less time left for Kafka', async () => {
    const { sink, clock, publisher, spool } = setUp();
    void publisher.publish(from('a'), undefined);
    clock.advance(1_200);
    await turn();
    publisher.hold();
    const held = publisher.publish(from('b'), undefined);
    clock.advance(500);
    spool.records.length = 0;
    publisher.resume();
    (await sink.batch(0)).succeed();
    await sink.batch(1);
    clock.advance(699);
    await turn();
    expect(publisher.way).toBe('kafka');
    clock.advance(1);
    expect(await held).toBe('disk');
  });
});

describe('a clock that is set back', () => {
  it('gives Kafka no more time', async () => {
    const { sink, clock, publisher } = setUp();
    const published = publisher.publish(from('a'), undefined);
    await sink.batch(0);
    clock.setWall(-6_000);
    clock.advance(1_200);
    expect(await published).toBe('disk');
  });
});

describe('an event that Kafka refuses for good', () => {
  it('and the disk does not keep either is lost as any event that neither takes', async () => {
    const { sink, publisher } = setUp({ keepsRefused: false });
    const published = publisher.publish(from('a'), undefined);
    (await sink.batch(0)).fail(new RecordRefusedError('too large'));
    await expect(published).rejects.toThrow(SpoolError);
  });

  it('is kept in quarantine, and blocks nothing', async () => {
    const { sink, publisher, quarantined } = setUp();
    const published = publisher.publish(from('a'), undefined);
    (await sink.batch(0)).fail(new RecordRefusedError('too large'));
    expect(await published).toBe('disk');
    expect(quarantined).toEqual([`quarantine/${sdkAppId}/a`]);
    const next = publisher.publish(from('b'), undefined);
    (await sink.batch(1)).succeed();
    expect(await next).toBe('kafka');
  });
});

describe('an event that no topic takes', () => {
  it('is refused before anything of it is sent, its key counted in', async () => {
    const { publisher, sink, spool } = setUp();
    const account = 'x'.repeat(2_100_000);
    // The account stands in the event and in the key.
    await expect(publisher.publish(from(account), undefined)).rejects.toThrow(EventTooLargeError);
    expect(sink.sent).toHaveLength(0);
    expect(spool.records).toHaveLength(0);
  });
});
