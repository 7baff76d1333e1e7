import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyLanes } from '../../../../consumers/runtime/effects/key-lanes.ts';

describe('lanes by key', () => {
  it('run the work of a key in order, and hold up no other key', async () => {
    const lanes = new KeyLanes(4);
    const slow = Promise.withResolvers<void>();
    const ended: string[] = [];
    const work =
      (name: string, until: Promise<void> = Promise.resolve()) =>
      async () => {
        await until;
        ended.push(name);
      };
    const all = [
      lanes.run('a', work('a1', slow.promise)),
      lanes.run('a', work('a2')),
      lanes.run('b', work('b1')),
      lanes.run('c', work('c1')),
      lanes.run('b', work('b2')),
    ];
    await all[4];
    expect(ended).toEqual(['b1', 'c1', 'b2']);
    slow.resolve();
    await Promise.all(all);
    expect(ended).toEqual(['b1', 'c1', 'b2', 'a1', 'a2']);
    expect(lanes.running).toBe(0);
  });

  it('go on with a key after work that has failed', async () => {
    const lanes = new KeyLanes(1);
    const failed = lanes.run('a', () => Promise.reject(new Error('no')));
    const next = lanes.run('a', () => Promise.resolve('yes'));
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('yes');
    expect(lanes.running).toBe(0);
  });

  it('run as much at once as they may, and never more, each key in order', async () => {
    const piece = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), turns: fc.integer({ min: 0, max: 4 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 30 }),
        fc.integer({ min: 1, max: 3 }),
        async (pieces, concurrency) => {
          const lanes = new KeyLanes(concurrency);
          const order: Record<string, number[]> = {};
          let most = 0;
          await Promise.all(
            pieces.map(({ key, turns }, index) =>
              lanes.run(key, async () => {
                most = Math.max(most, lanes.running);
                for (let turn = 0; turn < turns; turn += 1) await undefined;
                order[key] = [...(order[key] ?? []), index];
              }),
            ),
          );
          const keys = new Set(pieces.map(({ key }) => key)).size;
          expect(most).toBe(Math.min(concurrency, keys));
          for (const indices of Object.values(order)) expect(indices).toEqual(indices.toSorted((a, b) => a - b));
        },
      ),
    );
  });
});
