import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { EntryTable } from '../../../../consumers/runtime/state/entry-table.ts';
import { Snapshot, SnapshotDamagedError, type SnapshotOf } from '../../../../consumers/runtime/state/snapshot.ts';
import { makeTestFolder } from '../../../support/test-folder.ts';

const of: SnapshotOf = { clusterId: 'cluster-1', topics: ['im.state.v1'], partition: 3 };
const nowMs = 1_700_000_000_000;
const oldestMs = nowMs - 1_000;
const entry = (number: number): readonly [string, Buffer] => [`user-${number}`, Buffer.from(`value of ${number}`)];

let path: string;
let discarded: string[];
beforeEach(() => {
  path = join(makeTestFolder(), 'deeper', '3.sqlite');
  discarded = [];
});

function open(what = of, oldest = oldestMs): { snapshot: Snapshot; table: EntryTable } {
  const snapshot = Snapshot.open(path, what, oldest, (why) => discarded.push(why));
  return { snapshot, table: new EntryTable(snapshot) };
}

/** Leaves a snapshot with entries 0 to `count` - 1 that goes up to offset `count`. */
function leave(count: number): void {
  const { snapshot, table } = open();
  snapshot.update(new Map([['im.state.v1', count]]), nowMs, () => {
    table.write(Array.from({ length: count }, (_, number) => entry(number)));
  });
  snapshot[Symbol.dispose]();
}

describe('a snapshot', () => {
  it('begins empty, and nobody has to hear of it', () => {
    const { snapshot, table } = open();
    expect(snapshot.positions).toEqual(new Map());
    expect([...table.entries()]).toEqual([]);
    expect(discarded).toEqual([]);
  });

  it('has its entries and how far it goes when it is opened again', () => {
    leave(3);
    const { snapshot, table } = open();
    expect(snapshot.positions).toEqual(new Map([['im.state.v1', 3]]));
    expect(Buffer.from(table.get('user-1') ?? '').toString()).toBe('value of 1');
    expect(table.get('user-3')).toBeUndefined();
    expect(Array.from(table.entries(), ([key]) => key)).toEqual(['user-0', 'user-1', 'user-2']);
  });

  it('takes an update as a whole or not at all', () => {
    leave(3);
    const { snapshot, table } = open();
    const failing = (): void =>
      snapshot.update(new Map([['im.state.v1', 9]]), nowMs, () => {
        table.write([['user-1', null], entry(8)]);
        throw new Error('no');
      });
    expect(failing).toThrow('no');
    expect(snapshot.positions).toEqual(new Map([['im.state.v1', 3]]));
    expect(table.get('user-1')).toBeDefined();
    expect(table.get('user-8')).toBeUndefined();
    snapshot.update(new Map([['im.state.v1', 10]]), nowMs, () => table.write([['user-1', null], entry(8)]));
    expect(table.get('user-1')).toBeUndefined();
    expect(table.get('user-8')).toBeDefined();
  });

  it.each([
    ['another cluster', { ...of, clusterId: 'cluster-2' }],
    ['another partition', { ...of, partition: 4 }],
    ['another schema', { ...of, schema: 'of today' }],
    ['other topics', { ...of, topics: ['im.other.v1'] }],
  ])('of %s is begun anew', (_, other) => {
    leave(3);
    const { snapshot, table } = open(other);
    expect(snapshot.positions).toEqual(new Map());
    expect([...table.entries()]).toEqual([]);
    expect(discarded).toEqual(['it is of another cluster, partition or version']);
  });

  it('older than the tombstones that topics keep is begun anew', () => {
    leave(3);
    expect(open(of, nowMs + 1).snapshot.positions).toEqual(new Map());
    expect(discarded).toEqual(['it is too old']);
  });

  it('that cannot be made says where', () => {
    writeFileSync(join(path, '../..', 'deeper'), 'a file in the place of the folder');
    expect(() => open()).toThrow(SnapshotDamagedError);
    expect(() => open()).toThrow(path);
  });

  it('that is no database is begun anew', () => {
    leave(3);
    writeFileSync(path, 'something else that somebody has put here, longer than the header of a database is'.repeat(9));
    expect(open().snapshot.positions).toEqual(new Map());
    expect(discarded).toEqual([expect.stringContaining('it is damaged')]);
  });

  it('cut off anywhere is begun anew, or is as it was, and is never something else', () => {
    leave(500);
    const whole = readFileSync(path);
    for (let bytes = 0; bytes < whole.length; bytes += 1_021) {
      writeFileSync(path, whole);
      truncateSync(path, bytes);
      const { snapshot, table } = open();
      const left = Array.from(table.entries(), ([key]) => key).length;
      expect([snapshot.positions.get('im.state.v1'), left], `cut at ${bytes}`).toEqual([undefined, 0]);
      snapshot.discard();
    }
  });

  it('with a bit turned over says so at the latest when the entry is read', () => {
    leave(500);
    const whole = readFileSync(path);
    // Pages that are in use no more may have it too.
    for (let at = whole.indexOf('value of 123'); at >= 0; at = whole.indexOf('value of 123', at)) {
      whole.writeUInt8(whole.readUInt8(at) ^ 1, at);
    }
    writeFileSync(path, whole);
    const { table } = open();
    expect(() => table.get('user-123')).toThrow(SnapshotDamagedError);
    expect(() => [...table.entries()]).toThrow('the entry user-123 is not what was written');
    expect(table.get('user-124')).toBeDefined();
  });

  it('has what was written last by a process that was killed', () => {
    leave(1);
    const source = `
      const { Snapshot } = await import(${JSON.stringify(join(import.meta.dirname, '../../../../consumers/runtime/state/snapshot.ts'))});
      const { EntryTable } = await import(${JSON.stringify(join(import.meta.dirname, '../../../../consumers/runtime/state/entry-table.ts'))});
      const snapshot = Snapshot.open(${JSON.stringify(path)}, ${JSON.stringify(of)}, 0, () => undefined);
      const table = new EntryTable(snapshot);
      for (let count = 2; count <= 50; count += 1) {
        snapshot.update(new Map([['im.state.v1', count]]), ${nowMs}, () => table.write([['user-' + (count - 1), Buffer.from('x')]]));
      }
      process.kill(process.pid, 'SIGKILL');
    `;
    expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', source], { stdio: 'pipe' })).toThrow();
    const { snapshot, table } = open();
    expect(snapshot.positions.get('im.state.v1')).toBe(50);
    expect([...table.entries()]).toHaveLength(50);
    expect(discarded).toEqual([]);
  });
});
