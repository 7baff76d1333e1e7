import { describe, expect, it } from 'vitest';
import { Turns } from '../../../ingest/forward/turns.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function someTurns(limit: number) {
  const clock = new ManualClock(0);
  const turns = new Turns(limit, clock, () => 1);
  const got: string[] = [];
  /** Asks for a turn under a name; resolves when what is settled has been seen. */
  const ask = async (name: string, untilMs = Number.POSITIVE_INFINITY) => {
    void turns.take(untilMs).then((turn) => got.push(`${name} ${turn}`));
    await seen();
  };
  const give = async (isWell: boolean) => {
    turns.give(isWell);
    await seen();
  };
  const advance = async (ms: number) => {
    clock.advance(ms);
    await seen();
  };
  /** Takes a turn and gives it back as a failure, ten times: from then on there is trouble. */
  const fail = async () => {
    for (let count = 0; count < 10; count += 1) {
      await turns.take(Number.POSITIVE_INFINITY);
      turns.give(false);
    }
  };
  return { turns, got, ask, give, advance, fail };
}

async function seen(): Promise<void> {
  await Promise.resolve();
  await Promise.resolve();
}

describe('turns', () => {
  it('are given in order, to as many at a time as may be', async () => {
    const { got, ask, give } = someTurns(2);
    for (const name of ['a', 'b', 'c', 'd']) await ask(name);
    expect(got).toEqual(['a go', 'b go']);
    await give(true);
    expect(got).toEqual(['a go', 'b go', 'c go']);
  });

  it('are not given to those who have waited for too long, nor do these take anybody else his turn', async () => {
    const { got, ask, give, advance } = someTurns(1);
    await ask('a');
    await ask('b', 500);
    await ask('c', 2_000);
    await advance(1_000);
    await give(true);
    expect(got).toEqual(['a go', 'b late', 'c go']);
  });

  it('stay as many while failures are fewer than ten in a row', async () => {
    const { turns, got, ask, give } = someTurns(2);
    for (let count = 0; count < 9; count += 1) {
      await turns.take(1);
      turns.give(false);
    }
    await ask('a');
    await give(true);
    await ask('b');
    await ask('c');
    expect(got).toEqual(['a go', 'b go', 'c go']);
  });

  it('come one at a time after ten failures in a row, with pauses that double up to 2 s', async () => {
    const { got, ask, give, advance, fail } = someTurns(64);
    await fail();
    for (let count = 0; count < 8; count += 1) await ask(String(count));
    for (const [count, pauseMs] of [100, 200, 400, 800, 1_600, 2_000, 2_000].entries()) {
      await advance(pauseMs - 1);
      expect(got.length).toBe(count);
      await advance(1);
      expect(got.length).toBe(count + 1);
      await give(false);
    }
  });

  it('pause only when the last of those that were on their way has failed', async () => {
    const { got, ask, give, advance } = someTurns(11);
    for (let count = 0; count < 11; count += 1) await ask(String(count));
    for (let count = 0; count < 10; count += 1) await give(false);
    await ask('next');
    await advance(10_000);
    expect(got.length).toBe(11);
    await give(false);
    await advance(100);
    expect(got.length).toBe(12);
  });

  it('are as many as before with the first success', async () => {
    const { got, ask, give, advance, fail } = someTurns(3);
    await fail();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await ask(name);
    await advance(100);
    expect(got).toEqual(['a go']);
    await give(true);
    expect(got).toEqual(['a go', 'b go', 'c go', 'd go']);
  });

  it('end with a stop, for those who wait and those who come', async () => {
    const { turns, got, ask } = someTurns(1);
    await ask('a');
    await ask('b');
    turns.stop();
    await ask('c');
    expect(got).toEqual(['a go', 'b stopped', 'c stopped']);
  });
});
