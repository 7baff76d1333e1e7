import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { idBytes } from '../../../../../consumers/runtime/state/seen/event-id.ts';
import { IdRuns } from '../../../../../consumers/runtime/state/seen/id-runs.ts';
import { Snapshot, SnapshotDamagedError } from '../../../../../consumers/runtime/state/snapshot.ts';
import { makeTestFolder } from '../../../../support/test-folder.ts';

const someIds = (count: number): readonly Buffer[] => Array.from({ length: count }, () => randomBytes(idBytes));

let path: string;
let snapshot: Snapshot;
let runs: IdRuns;

function open(): void {
  snapshot = Snapshot.open(path, { clusterId: 'c', topics: ['t'], partition: 0 }, 0, () => undefined);
  runs = new IdRuns(snapshot);
}

function update(write: () => void): void {
  snapshot.update(new Map([['t', 1]]), 1, write);
}

/** Adds a run of ids, all taken at `timeMs`. */
function add(ids: readonly Buffer[], timeMs: number): void {
  update(() => runs.add([{ ids: Buffer.concat(ids), timesMs: ids.map(() => timeMs) }]));
}

const rows = (table: string): number =>
  Number(snapshot.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);

beforeEach(() => {
  path = join(makeTestFolder(), '0.sqlite');
  open();
});

describe('runs of ids', () => {
  it.each([1, 127, 128, 129, 5_000])(
    'find each of %i ids with its time, and no other, also when opened again',
    (count) => {
      const ids = someIds(count);
      update(() => runs.add([{ ids: Buffer.concat(ids), timesMs: ids.map((_, index) => 1_000 + index) }]));
      for (const again of [false, true]) {
        if (again) {
          snapshot[Symbol.dispose]();
          open();
        }
        expect(ids.map((id) => runs.timeOf(id))).toEqual(ids.map((_, index) => 1_000 + index));
        expect(someIds(2_000).filter((id) => runs.timeOf(id) !== undefined)).toEqual([]);
      }
    },
  );

  it('become few however many are added, and keep all ids', () => {
    const all: (readonly Buffer[])[] = [];
    for (let timeMs = 0; timeMs < 200; timeMs += 1) {
      const ids = someIds(1 + (timeMs % 7));
      all.push(ids);
      add(ids, timeMs);
    }
    expect(rows('seen_runs')).toBeLessThan(40);
    expect(all.map((ids) => ids.map((id) => runs.timeOf(id)))).toEqual(all.map((ids, index) => ids.map(() => index)));
  });

  it('say of an id that was taken several times when that was last', () => {
    const [id = Buffer.alloc(0)] = someIds(1);
    for (let timeMs = 1; timeMs <= 100; timeMs += 1) {
      add([id, ...someIds(3)], timeMs);
      expect(runs.timeOf(id)).toBe(timeMs);
    }
  });

  it('that are too old are forgotten, with their pages, and no others', () => {
    const [old, young] = [someIds(2_000), someIds(20)];
    add(old, 1_000);
    add(young, 2_000);
    update(() => runs.forgetBefore(1_001));
    expect(old.filter((id) => runs.timeOf(id) !== undefined)).toEqual([]);
    expect(young.map((id) => runs.timeOf(id))).toEqual(young.map(() => 2_000));
    expect([rows('seen_runs'), rows('seen_pages')]).toEqual([1, 1]);
  });

  it('with a bit turned over say so, in place of taking a known id for a new one', () => {
    const ids = someIds(1_000);
    add(ids, 1_000);
    snapshot[Symbol.dispose]();
    const whole = readFileSync(path);
    const [id = Buffer.alloc(0)] = ids;
    for (let at = whole.indexOf(id); at >= 0; at = whole.indexOf(id, at)) whole.writeUInt8(whole.readUInt8(at) ^ 1, at);
    writeFileSync(path, whole);
    open();
    expect(() => runs.timeOf(id)).toThrow(SnapshotDamagedError);
  });

  it('with a damaged filter are not opened', () => {
    add(someIds(1_000), 1_000);
    update(() => void snapshot.database.exec('UPDATE seen_runs SET filter = zeroblob(length(filter))'));
    expect(() => new IdRuns(snapshot)).toThrow(SnapshotDamagedError);
  });
});
