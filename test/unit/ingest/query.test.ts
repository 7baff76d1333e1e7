import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuery, queryWithoutSign } from '../../../ingest/tencent/query.ts';

describe('parseQuery', () => {
  it('reads the documented parameters', () => {
    const text =
      'SdkAppid=1400187352&CallbackCommand=State.StateChange&contenttype=json&ClientIP=127.0.0.1&OptPlatform=iOS' +
      '&Sign=17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061&RequestTime=1669872112&RequestID=80b98a8d';
    expect(parseQuery(text)).toEqual({
      sdkAppId: '1400187352',
      command: 'State.StateChange',
      contentType: 'json',
      clientIp: '127.0.0.1',
      optPlatform: 'iOS',
      sign: '17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061',
      requestTime: '1669872112',
      requestId: '80b98a8d',
      unknown: [],
      repeated: undefined,
    });
  });

  it.each(['SdkAppid', 'SdkAppId', 'SDKAppID', 'sdkappid'])('takes the spelling %s', (name) => {
    expect(parseQuery(`${name}=7`).sdkAppId).toBe('7');
  });

  it('counts an empty parameter as absent', () => {
    expect(parseQuery('CallbackCommand=&Sign').command).toBeUndefined();
    expect(parseQuery('CallbackCommand=&Sign').sign).toBeUndefined();
  });

  it('names a known parameter that is given twice, in whatever spelling, also when one is empty', () => {
    expect(parseQuery('SdkAppid=1&SdkAppId=2').repeated).toBe('SdkAppId');
    expect(parseQuery('Sign=&Sign=a').repeated).toBe('Sign');
    expect(parseQuery('other=1&other=2').repeated).toBeUndefined();
  });

  it('keeps unknown parameters in order, decoded, with repetitions', () => {
    expect(parseQuery('b=%E4%BD%A0&a=1&b=x+y').unknown).toEqual([
      ['b', '你'],
      ['a', '1'],
      ['b', 'x y'],
    ]);
  });

  it('never fails on what cannot be decoded', () => {
    expect(parseQuery('%zz=%&=&&a').unknown).toEqual([
      ['%zz', '%'],
      ['', ''],
      ['a', ''],
    ]);
  });
});

describe('parseQuery, for any query', () => {
  it('takes it apart as URLSearchParams does', () => {
    const pieces = fc.constantFrom('a', 'b', '你', '=', '&', '%', '+', '?', '%20', '%E4', '/');
    fc.assert(
      fc.property(
        fc.array(pieces).map((each) => each.join('')),
        (text) => {
          expect(parseQuery(text).unknown).toEqual([...new URLSearchParams(text)]);
        },
      ),
    );
  });
});

describe('queryWithoutSign', () => {
  it('takes Sign away in any spelling, percent-encoded too, and keeps the rest byte for byte', () => {
    expect(queryWithoutSign('SdkAppid=1&Sign=abc&x=%20&S%69gn=d&sign=e', true)).toBe('SdkAppid=1&x=%20');
  });

  it('takes unknown parameters away when they may not be kept', () => {
    expect(queryWithoutSign('SdkAppid=1&note=secret&RequestTime=5', false)).toBe('SdkAppid=1&RequestTime=5');
  });
});
