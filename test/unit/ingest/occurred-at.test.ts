import { describe, expect, it } from 'vitest';
import { BodyReader } from '../../../ingest/tencent/body-reader.ts';
import type { JsonObject } from '../../../ingest/tencent/json.ts';
import { readOccurredAt } from '../../../ingest/tencent/occurred-at.ts';

function read(body: JsonObject): { occurredAt: number | null; leftover: JsonObject | undefined } {
  const reader = new BodyReader(body);
  return { occurredAt: readOccurredAt(reader, 'ms'), leftover: reader.leftover() };
}

describe('readOccurredAt', () => {
  it.each([
    ['EventTime in milliseconds', { EventTime: 1629883332497 }, 1629883332497],
    ['EventTime in seconds, as push batches have it', { EventTime: 1629883332 }, 1629883332000],
    ['EventTime as a text, as a documented sample has it', { EventTime: '1670574414123' }, 1670574414123],
    ['EventTime before MsgTime', { MsgTime: 1557481126, EventTime: 1629883332497 }, 1629883332497],
    ['MsgTime in seconds', { MsgTime: 1557481126 }, 1557481126000],
    ['LastReadTime in seconds', { LastReadTime: 1600000000 }, 1600000000000],
    ['the time part of a MsgKey', { MsgKey: '48374_2837546_1557481126' }, 1557481126000],
    ["the time part of a C2C verdict's MsgID", { MsgID: '1434460578_4137340972_1661154487' }, 1661154487000],
  ])('is %s', (_what, body, expected) => {
    expect(read(body).occurredAt).toBe(expected);
  });

  it.each([
    ['there is none', {}],
    ['a group verdict has a MsgSeq as MsgID', { MsgID: '4711' }],
    ['EventTime is zero', { EventTime: 0 }],
    ['EventTime is beyond what a date can be', { EventTime: 9e15 }],
    ['EventTime is a fraction', { EventTime: 1629883332.5 }],
    ['EventTime is no number', { EventTime: 'yesterday' }],
  ])('is null when %s', (_why, body) => {
    expect(read(body).occurredAt).toBeNull();
  });

  it('takes only a plain number of milliseconds, which the event then holds exactly', () => {
    expect(read({ EventTime: 1629883332497 }).leftover).toBeUndefined();
    expect(read({ EventTime: 1629883332 }).leftover).toEqual({ EventTime: 1629883332 });
    expect(read({ EventTime: '1670574414123' }).leftover).toEqual({ EventTime: '1670574414123' });
    expect(read({ MsgTime: 1557481126 }).leftover).toEqual({ MsgTime: 1557481126 });
  });
});
