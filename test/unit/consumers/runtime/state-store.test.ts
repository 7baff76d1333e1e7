import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntryTable } from '../../../../consumers/runtime/state/entry-table.ts';
import { Snapshot } from '../../../../consumers/runtime/state/snapshot.ts';
import { StateStore } from '../../../../consumers/runtime/state/state-store.ts';
import { makeTestFolder } from '../../../support/test-folder.ts';

const text = {
  encode: (value: string): Buffer => Buffer.from(value),
  decode: (bytes: Uint8Array): string => Buffer.from(bytes).toString(),
};

function store(cacheLimit?: number): {
  state: StateStore<string>;
  flush: () => void;
  reopen: () => StateStore<string>;
} {
  const path = join(makeTestFolder(), '0.sqlite');
  const of = { clusterId: 'c', topics: ['t'], partition: 0 };
  let snapshot = Snapshot.open(path, of, 0, () => undefined);
  const state = new StateStore(new EntryTable(snapshot), text, cacheLimit);
  return {
    state,
    flush: () => {
      snapshot.update(new Map([['t', 1]]), 1, () => state.flush());
      state.flushed();
    },
    reopen: () => {
      snapshot[Symbol.dispose]();
      snapshot = Snapshot.open(path, of, 0, () => undefined);
      return new StateStore(new EntryTable(snapshot), text, cacheLimit);
    },
  };
}

describe('a state', () => {
  it('shows the changes of a transaction at once, and gives them for the changelog', () => {
    const { state } = store();
    state.set('a', 'one');
    state.set('b', 'two');
    state.delete('b');
    expect([state.get('a'), state.get('b')]).toEqual(['one', undefined]);
    expect(state.changes()).toEqual([
      ['a', Buffer.from('one')],
      ['b', null],
    ]);
  });

  it('is in the snapshot up to the last flush', () => {
    const { state, flush, reopen } = store();
    state.set('a', 'one');
    state.committed(state.changes());
    flush();
    state.set('b', 'two');
    state.committed(state.changes());
    expect(state.unwritten).toBe(1);
    expect([...reopen().entries()]).toEqual([['a', 'one']]);
  });

  it('is the same as a map, whatever is committed and flushed, also when next to nothing fits into memory', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), key, value: fc.string() }),
      fc.record({ kind: fc.constant('delete' as const), key }),
      fc.record({ kind: fc.constantFrom('commit' as const, 'flush' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { state, flush } = store(2);
        const open = new Map<string, string>();
        for (const each of steps) {
          if (each.kind === 'set') {
            state.set(each.key, each.value);
            open.set(each.key, each.value);
          } else if (each.kind === 'delete') {
            state.delete(each.key);
            open.delete(each.key);
          } else if (each.kind === 'commit') {
            state.committed(state.changes());
          } else flush();
          for (const name of ['a', 'b', 'c', 'd']) expect(state.get(name)).toBe(open.get(name));
          expect(new Map(state.entries())).toEqual(open);
        }
      }),
      { numRuns: 60 },
    );
  });
});
