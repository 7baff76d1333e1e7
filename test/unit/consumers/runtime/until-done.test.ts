import { setImmediate as turn } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { untilDone } from '../../../../consumers/runtime/until-done.ts';
import { NotProvisionedError } from '../../../../schemas/destinations.ts';
import { RegistryUnavailableError } from '../../../../schemas/registry.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

/** Work that fails with each of these errors in turn, and then gives "done". */
function setUp(...failures: readonly Error[]) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const waitedFor: string[] = [];
  let attempts = 0;
  const work = async (): Promise<string> => {
    attempts += 1;
    const failure = failures[attempts - 1];
    if (failure !== undefined) throw failure;
    return 'done';
  };
  const onFailure = ({ message }: Error): void => {
    waitedFor.push(message);
  };
  const result = untilDone(work, { signal: stop.signal, clock, onFailure });
  return { clock, stop, waitedFor, result, attempts: () => attempts };
}

describe('untilDone', () => {
  it('gives what the work gives', async () => {
    const { result, waitedFor, clock } = setUp();
    expect(await result).toBe('done');
    expect(waitedFor).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  it.each([
    ['the registry', new RegistryUnavailableError('away')],
    ['a topic', new NotProvisionedError('away')],
    ['a broker, said by kafkajs itself', new kafkajs.KafkaJSConnectionError('away')],
  ])('waits for %s, and tries again every 2 s', async (_what, failure) => {
    const { clock, result, waitedFor, attempts } = setUp(failure, failure);
    await turn();
    clock.advance(1_999);
    await turn();
    expect(attempts()).toBe(1);
    clock.advance(1);
    await turn();
    expect(attempts()).toBe(2);
    clock.advance(2_000);
    expect(await result).toBe('done');
    expect(waitedFor).toEqual(['away', 'away']);
  });

  it('throws a bug at once', async () => {
    const { result, waitedFor } = setUp(new TypeError('a bug'));
    await expect(result).rejects.toThrow('a bug');
    expect(waitedFor).toEqual([]);
  });

  it('tries no more once it is given up, also while it waits', async () => {
    const { clock, stop, result, attempts } = setUp(new RegistryUnavailableError('away'));
    await turn();
    stop.abort(new Error('stopping'));
    clock.advance(2_000);
    await expect(result).rejects.toThrow('stopping');
    expect(attempts()).toBe(1);
  });
});
