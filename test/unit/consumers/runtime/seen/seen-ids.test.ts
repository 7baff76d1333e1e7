import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeenIds } from '../../../../../consumers/runtime/state/seen/seen-ids.ts';
import { SeenTable } from '../../../../../consumers/runtime/state/seen/seen-table.ts';
import { Snapshot } from '../../../../../consumers/runtime/state/snapshot.ts';
import { makeTestFolder } from '../../../../support/test-folder.ts';

const horizonMs = 100;

class Bench {
  readonly #path = join(makeTestFolder(), '0.sqlite');
  #snapshot = this.#open();
  seen = new SeenIds(new SeenTable(this.#snapshot, horizonMs));

  commit(): void {
    this.seen.committed(this.seen.change());
  }

  flush(): void {
    this.#snapshot.update(new Map([['t', 1]]), 1, () => this.seen.flush());
    this.seen.flushed();
  }

  reopen(): void {
    this.#snapshot[Symbol.dispose]();
    this.#snapshot = this.#open();
    this.seen = new SeenIds(new SeenTable(this.#snapshot, horizonMs));
  }

  count(): number {
    return Number(this.#snapshot.database.prepare('SELECT sum(count) AS n FROM seen_runs').get()?.['n']);
  }

  #open(): Snapshot {
    return Snapshot.open(this.#path, { clusterId: 'c', topics: ['t'], partition: 0 }, 0, () => undefined);
  }
}

/** The rule itself, over events in their order. */
function repeats(events: readonly { readonly id: string; readonly timeMs: number }[]): readonly boolean[] {
  const takenMs = new Map<string, number>();
  let latestMs = 0;
  return events.map(({ id, timeMs }) => {
    const nowMs = Math.max(latestMs, timeMs);
    const known = takenMs.get(id);
    if (known !== undefined && known >= nowMs - horizonMs) return true;
    latestMs = nowMs;
    takenMs.set(id, nowMs);
    return false;
  });
}

describe('ids that were seen', () => {
  it('are repeats up to the horizon, and not beyond', () => {
    const { seen } = new Bench();
    expect(seen.take('a', 1_000)).toBe(true);
    expect(seen.take('b', 1_100)).toBe(true);
    expect(seen.take('a', 1_100)).toBe(false);
    expect(seen.take('c', 1_101)).toBe(true);
    expect(seen.take('a', 1_101)).toBe(true);
  });

  it('are forgotten, in the snapshot too, when no event can ask for them', () => {
    const bench = new Bench();
    for (const [id, timeMs] of [
      ['a', 1_000],
      ['b', 1_050],
      ['c', 1_090],
    ] as const) {
      bench.seen.take(id, timeMs);
      bench.commit();
      bench.flush();
    }
    expect(bench.count()).toBe(3);
    bench.seen.take('d', 1_101);
    expect(bench.seen.change().forgotten).toEqual([0]);
    bench.commit();
    bench.flush();
    expect(bench.count()).toBe(3);
  });

  it('whatever text they are, are told apart', () => {
    const { seen } = new Bench();
    const hex = '00112233445566778899aabbccddeeff';
    expect([hex, hex.toUpperCase(), '', 'ü', hex].map((id) => seen.take(id, 1))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it('are the same whatever is committed together, flushed, and opened again', () => {
    const event = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      timeMs: fc.integer({ min: 0, max: 600 }),
      after: fc.constantFrom('go on', 'commit', 'flush', 'reopen'),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const bench = new Bench();
        const found = events.map(({ id, timeMs, after }) => {
          const isRepeat = !bench.seen.take(id, timeMs);
          if (after !== 'go on') bench.commit();
          if (after === 'flush' || after === 'reopen') bench.flush();
          if (after === 'reopen') bench.reopen();
          return isRepeat;
        });
        expect(found).toEqual(repeats(events));
      }),
      { numRuns: 60 },
    );
  });
});
