import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Arrivals } from '../../../ingest/http/arrivals.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function setUp() {
  const clock = new ManualClock();
  const handedOver: (readonly string[])[] = [];
  const arrivals = new Arrivals<string>(clock, (arrived) => handedOver.push(arrived));
  return { clock, arrivals, handedOver };
}

describe('Arrivals', () => {
  it('hand over what has come alone after one turn of the event loop', async () => {
    const { arrivals, handedOver } = setUp();
    arrivals.add('a');
    expect(handedOver).toEqual([]);
    await turn();
    expect(handedOver).toEqual([['a']]);
  });

  it('wait on while each turn brings more, and keep the order', async () => {
    const { arrivals, handedOver } = setUp();
    arrivals.add('a');
    arrivals.add('b');
    await turn();
    arrivals.add('c');
    await turn();
    expect(handedOver).toEqual([]);
    await turn();
    expect(handedOver).toEqual([['a', 'b', 'c']]);
  });

  it('wait no longer than 2 ms', async () => {
    const { clock, arrivals, handedOver } = setUp();
    arrivals.add('a');
    arrivals.add('b');
    clock.advance(2);
    await turn();
    expect(handedOver).toEqual([['a', 'b']]);
  });

  it('begin anew after a handover', async () => {
    const { arrivals, handedOver } = setUp();
    arrivals.add('a');
    await turn();
    arrivals.add('b');
    await turn();
    expect(handedOver).toEqual([['a'], ['b']]);
  });
});
