import { describe, expect, it } from 'vitest';
import { SignatureCheck, signOf } from '../../../ingest/tencent/signature.ts';

/** Vectors with their origin: Tencent's own pages, and the tests of a public PHP client (chenjiacheng/tim). */
const vectors = [
  {
    token: 'xxxxyyyy',
    requestTime: '1669872112',
    sign: '17773bc39a671d7b9aa835458704d2a6db81360a5940292b587d6d760d484061',
    origin: 'trtc.io/document/34354',
  },
  {
    token: 'e10adc3949ba59abbe56e057f20f883e',
    requestTime: '1676091353',
    sign: 'a5d271b35bd72858cdf1ad0b9dfbf037d19146062c0ecb712a0a3235489d6021',
    origin: 'chenjiacheng/tim CallbackTest',
  },
];
const [official] = vectors as [(typeof vectors)[0]];
const officialMs = Number(official.requestTime) * 1000;

describe('SignatureCheck', () => {
  it.each(vectors)('takes the vector of $origin', ({ token, requestTime, sign }) => {
    expect(new SignatureCheck([token]).check({ sign, requestTime }, Number(requestTime) * 1000)).toBe('valid');
    expect(signOf(token, Number(requestTime))).toBe(sign);
  });

  it('takes upper-case hexadecimal digits', () => {
    expect(
      new SignatureCheck([official.token]).check({ ...official, sign: official.sign.toUpperCase() }, officialMs),
    ).toBe('valid');
  });

  it.each([
    ['exactly 60 s late', 60_000, 'valid'],
    ['in the last millisecond of second 60', 60_999, 'valid'],
    ['61 s late', 61_000, 'stale'],
    ['exactly 60 s early', -60_000, 'valid'],
    ['60 s and a millisecond early, which is second 61', -60_001, 'stale'],
  ])('%s is judged by whole seconds', (_when, differenceMs, expected) => {
    expect(new SignatureCheck([official.token]).check(official, officialMs + differenceMs)).toBe(expected);
  });

  it('takes either of two tokens', () => {
    expect(new SignatureCheck(['other', official.token]).check(official, officialMs)).toBe('valid');
    expect(new SignatureCheck([official.token, 'other']).check(official, officialMs)).toBe('valid');
  });

  it.each([
    ['another token', { ...official }, ['xxxyyy']],
    ['a changed RequestTime', { ...official, requestTime: '1669872113' }, [official.token]],
    ['a Sign with a wrong last digit', { ...official, sign: official.sign.replace(/1$/, '2') }, [official.token]],
    ['a Sign that is too short', { ...official, sign: official.sign.slice(1) }, [official.token]],
    ['a Sign that is not hexadecimal', { ...official, sign: 'g'.repeat(64) }, [official.token]],
    ['a RequestTime that is no number', { ...official, requestTime: '16698721e2' }, [official.token]],
  ])('refuses %s as forged', (_what, request, tokens) => {
    expect(new SignatureCheck(tokens).check(request, officialMs)).toBe('forged');
  });

  it('tells a missing Sign or RequestTime apart', () => {
    expect(new SignatureCheck(['t']).check({ sign: undefined, requestTime: '1' }, 0)).toBe('missing');
    expect(new SignatureCheck(['t']).check({ sign: official.sign, requestTime: undefined }, 0)).toBe('missing');
  });

  it('checks each of many times by itself, also when it has seen them before', () => {
    const check = new SignatureCheck([official.token]);
    const firstSec = Number(official.requestTime);
    const times = Array.from({ length: 500 }, (_, index) => firstSec + index);
    for (const sec of [...times, ...times]) {
      const request = { sign: signOf(official.token, sec), requestTime: String(sec) };
      expect(check.check(request, sec * 1000)).toBe('valid');
      expect(check.check({ ...request, requestTime: String(sec + 1) }, sec * 1000)).toBe('forged');
    }
  });
});
