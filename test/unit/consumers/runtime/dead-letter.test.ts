import { describe, expect, it } from 'vitest';
import { deadLetterOf } from '../../../../consumers/runtime/dead-letter.ts';
import type { ConsumedRecord } from '../../../../lib/kafka/consume/record-batch-reader.ts';

const record: ConsumedRecord = {
  key: Buffer.from('1400187352/jared'),
  value: Buffer.from('no Avro'),
  timestampMs: 1_700_000_000_000,
  offset: 42,
  headers: { text: Buffer.from('d') },
};

function letterOf(more: Partial<ConsumedRecord> = {}, service = 'penalties', partition = 3) {
  return deadLetterOf({
    service,
    topic: 'im.verdict.v1',
    partition,
    record: { ...record, ...more },
    reason: 'RECORD_NOT_READABLE',
    detail: 'not in Confluent wire format',
    failedAtMs: 1_700_000_005_000,
  });
}

describe('the dead letter of a record', () => {
  it('holds the record whole, where it stands, and why it failed, under its key', () => {
    expect(letterOf()).toEqual({
      topic: 'dead-letter',
      key: '1400187352/jared',
      timestampMs: 1_700_000_005_000,
      value: {
        // sha256("penalties\nim.verdict.v1\n3\n42"), first 32 digits, by coreutils' sha256sum.
        eventId: '70186b03f49ee507c927954aff1124c2',
        service: 'penalties',
        reason: 'RECORD_NOT_READABLE',
        fieldPath: null,
        detail: 'not in Confluent wire format',
        body: Buffer.from('no Avro'),
        query: null,
        command: null,
        sdkAppId: null,
        sourceTopic: 'im.verdict.v1',
        sourcePartition: 3,
        sourceOffset: 42,
        key: Buffer.from('1400187352/jared'),
        headers: { text: Buffer.from('d') },
        attempts: 1,
        firstFailedAt: 1_700_000_005_000,
        receivedAt: 1_700_000_000_000,
      },
    });
  });

  it('has the same id whenever the record is handled, and another for another service or place', () => {
    const ids = [letterOf(), letterOf({ offset: 43 }), letterOf({}, 'analytics'), letterOf({}, 'penalties', 4)];
    expect(new Set(ids.map(({ value }) => value.eventId)).size).toBe(4);
    expect(letterOf({ value: null }).value.eventId).toBe(letterOf().value.eventId);
  });

  it('of a record without key, value and headers has none', () => {
    const letter = letterOf({ key: null, value: null, headers: {} });
    expect(letter).toMatchObject({ key: '', value: { key: null, body: null, headers: {} } });
  });
});
