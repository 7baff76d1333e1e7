import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { decodeAs, RecordEncoder, schemaIdOf } from '../../../schemas/codec.ts';
import { recordNames } from '../../../schemas/generated/events.ts';
import { avroType, recordSchemas } from '../../../schemas/records.ts';
import { topicConfig, topicIds, topicName, topics } from '../../../schemas/topics.ts';
import { eventsOf, receivedAtMs } from '../../support/callbacks.ts';

describe('every schema', () => {
  it.each(recordNames)('%s says what each field is, and names it once', (name) => {
    const { fields } = recordSchemas[name];
    for (const field of fields) expect(field.doc.length, field.name).toBeGreaterThan(20);
    expect(new Set(fields.map((field) => field.name)).size).toBe(fields.length);
  });

  it.each(recordNames)('%s has null as the default of every nullable field, and says what null means', (name) => {
    const nullable = recordSchemas[name].fields.filter(({ type }) => Array.isArray(type) && type.includes('null'));
    for (const field of nullable) {
      expect(field.type).toHaveProperty('0', 'null');
      expect(field.default, field.name).toBeNull();
      expect(field.doc, field.name).toContain('ull');
    }
  });

  it('is registered for one topic, or for one of each consumer', () => {
    const records = topicIds.map((id) => topics[id].record);
    expect([...new Set(records)].toSorted()).toEqual([...recordNames].toSorted());
    const shared = topicIds.filter((id) => records.filter((record) => record === topics[id].record).length > 1);
    expect(shared).toEqual(['analytics.progress', 'penalties.progress', 'alerting.progress']);
  });
});

describe('RecordEncoder', () => {
  it('grows for a record that is larger than its buffer, and keeps the schema id', () => {
    const encoder = new RecordEncoder('UnknownCallback', 4_000_000_000);
    const text = 'x'.repeat(1_000_000);
    const [event] = eventsOf({ command: 'A.B', body: { EventTime: 1, Text: text } });
    if (event?.record !== 'UnknownCallback') throw new Error('expected a callback');
    for (const value of [event.value, { ...event.value, extras: null }, event.value]) {
      const bytes = encoder.encode(value);
      expect(schemaIdOf(bytes)).toBe(4_000_000_000);
      expect(decodeAs(avroType(recordSchemas.UnknownCallback), bytes)).toMatchObject({ extras: value.extras });
    }
  });

  it('gives each record bytes of its own', () => {
    const encoder = new RecordEncoder('UnknownCallback', 1);
    const [first] = eventsOf({ command: 'A.B', body: { EventTime: receivedAtMs } });
    const [second] = eventsOf({ command: 'C.D', body: { EventTime: receivedAtMs } });
    if (first?.record !== 'UnknownCallback' || second?.record !== 'UnknownCallback')
      throw new Error('expected callbacks');
    const bytes = encoder.encode(first.value);
    encoder.encode(second.value);
    expect(decodeAs(avroType(recordSchemas.UnknownCallback), bytes)).toMatchObject({ command: 'A.B' });
  });
});

describe('schemaIdOf', () => {
  it('is undefined for bytes that are not in wire format', () => {
    expect(schemaIdOf(Buffer.from([0, 0, 0, 0, 1]))).toBeUndefined();
    expect(schemaIdOf(Buffer.from('{"json":true}'))).toBeUndefined();
  });
});

describe('topics', () => {
  it('are named <prefix>.<what>.v1', () => {
    expect(topicIds.map((id) => topicName('im', id))).toEqual([
      'im.verdict.v1',
      'im.message.v1',
      'im.user.v1',
      'im.relation.v1',
      'im.group.v1',
      'im.push.v1',
      'im.operation.v1',
      'im.callback.v1',
      'im.dead-letter.v1',
      'im.rollup.v1',
      'im.analytics.state.v1',
      'im.penalty.ledger.v1',
      'im.penalty.state.v1',
      'im.alert.v1',
      'im.analytics.progress.v1',
      'im.penalties.progress.v1',
      'im.alerting.progress.v1',
    ]);
    expect(topicName('test', 'verdict')).toBe('test.verdict.v1');
  });

  it('keep verdicts for 30 days, take records of 4 MiB, and need two replicas where there are three', () => {
    expect(topicConfig(topics.verdict, 3)).toEqual({
      'cleanup.policy': 'delete',
      'retention.ms': '2592000000',
      'max.message.bytes': '4194304',
      'min.insync.replicas': '2',
    });
    expect(topicConfig(topics.verdict, 1)['min.insync.replicas']).toBe('1');
  });

  it('hold schemas that another Avro reader of the same schema takes apart and puts together alike', () => {
    for (const name of recordNames) {
      const type = avroType(recordSchemas[name]);
      const again = avro.Type.forSchema(JSON.parse(JSON.stringify(recordSchemas[name])) as avro.Schema);
      expect(again.fingerprint().equals(type.fingerprint())).toBe(true);
    }
  });
});
