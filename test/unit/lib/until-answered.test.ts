import { NetworkError, ResponseError } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { KafkaRequestError } from '../../../lib/kafka/admin.ts';
import { mayPass, untilAnswered } from '../../../lib/kafka/until-answered.ts';

const offsetFetch = 9;
const answerWith = (...codes: readonly number[]) =>
  new ResponseError(offsetFetch, 7, Object.fromEntries(codes.map((code, index) => [`/${index}`, [code, null]])), {});
const unstable = answerWith(88);
const forbidden = answerWith(30);
const never = new AbortController().signal;

describe('a request that is repeated', () => {
  it('is repeated until it is answered', async () => {
    const failures = [unstable, new NetworkError('cut'), new KafkaRequestError('no broker')];
    const answer = await untilAnswered(never, () => {
      const failure = failures.shift();
      return failure === undefined ? Promise.resolve('answer') : Promise.reject(failure);
    });
    expect([answer, failures]).toEqual(['answer', []]);
  });

  it('fails with what does not pass, in words of ours', async () => {
    const request = untilAnswered(never, () => Promise.reject(forbidden));
    await expect(request).rejects.toThrow(KafkaRequestError);
    await expect(untilAnswered(never, () => Promise.reject(forbidden))).rejects.toThrow(
      /OffsetFetch.*Group authorization failed/,
    );
  });

  it('ends with the signal’s reason while it is under way, and while it pauses', async () => {
    const reason = new Error('enough');
    for (const ask of [() => new Promise<never>(() => undefined), () => Promise.reject(unstable)]) {
      const controller = new AbortController();
      const request = untilAnswered(controller.signal, ask);
      setImmediate(() => controller.abort(reason));
      await expect(request).rejects.toBe(reason);
    }
  });

  it('is not made at all when the signal has come before', async () => {
    const asked: string[] = [];
    const request = untilAnswered(AbortSignal.abort(new Error('enough')), async () => asked.push('once'));
    await expect(request).rejects.toThrow('enough');
    expect(asked).toEqual([]);
  });
});

describe('what may pass with time', () => {
  it('is an answer whose errors all may', () => {
    expect([unstable, forbidden, answerWith(88, 30), answerWith(88, 16)].map(mayPass)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it('is a lost connection, not a pool that has been closed, nor a bug', () => {
    const closed = new NetworkError('closed', { canRetry: false });
    expect([new NetworkError('cut'), closed, new TypeError('bug'), 'text'].map(mayPass)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
