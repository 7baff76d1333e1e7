import { describe, expect, it } from 'vitest';
import { checkSign, signOf } from '../../../ingest/tencent/signature.ts';

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

describe('checkSign', () => {
  it.each(vectors)('takes the vector of $origin', ({ token, requestTime, sign }) => {
    expect(checkSign({ sign, requestTime }, [token], Number(requestTime) * 1000)).toBe('valid');
    expect(signOf(token, Number(requestTime))).toBe(sign);
  });

  it('takes upper-case hexadecimal digits', () => {
    expect(checkSign({ ...official, sign: official.sign.toUpperCase() }, [official.token], officialMs)).toBe('valid');
  });

  it.each([
    ['exactly 60 s late', 60_000, 'valid'],
    ['in the last millisecond of second 60', 60_999, 'valid'],
    ['61 s late', 61_000, 'stale'],
    ['exactly 60 s early', -60_000, 'valid'],
    ['60 s and a millisecond early, which is second 61', -60_001, 'stale'],
  ])('%s is judged by whole seconds', (_when, differenceMs, expected) => {
    expect(checkSign(official, [official.token], officialMs + differenceMs)).toBe(expected);
  });

  it('takes either of two tokens', () => {
    expect(checkSign(official, ['other', official.token], officialMs)).toBe('valid');
    expect(checkSign(official, [official.token, 'other'], officialMs)).toBe('valid');
  });

  it.each([
    ['another token', { ...official }, ['xxxyyy']],
    ['a changed RequestTime', { ...official, requestTime: '1669872113' }, [official.token]],
    ['a Sign with a wrong last digit', { ...official, sign: official.sign.replace(/1$/, '2') }, [official.token]],
    ['a Sign that is too short', { ...official, sign: official.sign.slice(1) }, [official.token]],
    ['a Sign that is not hexadecimal', { ...official, sign: 'g'.repeat(64) }, [official.token]],
    ['a RequestTime that is no number', { ...official, requestTime: '16698721e2' }, [official.token]],
  ])('refuses %s as forged', (_what, request, tokens) => {
    expect(checkSign(request, tokens, officialMs)).toBe('forged');
  });

  it('tells a missing Sign or RequestTime apart', () => {
    expect(checkSign({ sign: undefined, requestTime: '1' }, ['t'], 0)).toBe('missing');
    expect(checkSign({ sign: official.sign, requestTime: undefined }, ['t'], 0)).toBe('missing');
  });
});
