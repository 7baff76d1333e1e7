import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Batcher } from '../../../ingest/publish/batcher.ts';
import { DeadlineError, NotReadyError, Publisher } from '../../../ingest/publish/publisher.ts';
import type { IngestTopicId } from '../../../ingest/tencent/request.ts';
import { partitionOf } from '../../../lib/kafka/partitioner.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { decodeAs, schemaIdOf } from '../../../schemas/codec.ts';
import { avroType, recordSchemas } from '../../../schemas/records.ts';
import { eventsOf, receivedAtMs, sdkAppId, smallestVerdict, verdictCommand } from '../../support/callbacks.ts';
import { ControlledSink } from '../../support/controlled-sink.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const destinations = new Map<IngestTopicId, { topic: string; partitions: number; schemaId: number }>([
  ['verdict', { topic: 'im.verdict.v1', partitions: 12, schemaId: 7 }],
  ['push', { topic: 'im.push.v1', partitions: 12, schemaId: 10 }],
  ['callback', { topic: 'im.callback.v1', partitions: 12, schemaId: 8 }],
  ['dead-letter', { topic: 'im.dead-letter.v1', partitions: 12, schemaId: 9 }],
]);

function setUp({ cloudEvents = false, open = true } = {}) {
  const sink = new ControlledSink();
  const clock = new ManualClock();
  const limits = { partitionBytes: 1e6, batchBytes: 1e7, queueBytes: 1e8 };
  const batcher = new Batcher(sink, limits, clock, silentLogger);
  const publisher = new Publisher({ batcher, clock, deadlineMs: 1200, cloudEvents });
  if (open) publisher.open(destinations);
  return { sink, clock, publisher };
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

  it('gives up at the deadline, though the event may still become durable', async () => {
    const { sink, clock, publisher } = setUp();
    const published = publisher.publish(verdict(), undefined);
    const batch = await sink.batch(0);
    clock.advance(1200);
    await expect(published).rejects.toThrow(DeadlineError);
    batch.succeed();
    await turn();
    expect(clock.waiting).toBe(0);
  });

  it('takes nothing before it is open', async () => {
    const { publisher } = setUp({ open: false });
    expect(publisher.isOpen).toBe(false);
    await expect(publisher.publish(verdict(), undefined)).rejects.toThrow(NotReadyError);
  });

  it('resolves at once for no events', async () => {
    const { publisher, sink } = setUp();
    await publisher.publish([], undefined);
    expect(sink.sent).toHaveLength(0);
  });
});
