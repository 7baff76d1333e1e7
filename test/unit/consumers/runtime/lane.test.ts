import { describe, expect, it } from 'vitest';
import { Lane } from '../../../../consumers/runtime/lane.ts';
import type { PartitionProcessor } from '../../../../consumers/runtime/processor.ts';

/** A lane whose processor wants to begin again at `resumeOffset`, where it says one. */
function aLane(about: { resumeOffset?: bigint | undefined } = {}): Lane<'ContentVerdict'> {
  const processor: PartitionProcessor<'ContentVerdict'> = {
    take: () => ({ kind: 'ok' }),
    resumeOffset: () => about.resumeOffset,
  };
  return new Lane(3, processor);
}

describe('run', () => {
  it('does one piece of work after the other, in order', async () => {
    const lane = aLane();
    const done: string[] = [];
    const first = Promise.withResolvers<void>();
    const results = [
      lane.run(async () => {
        await first.promise;
        done.push('first');
      }),
      lane.run(async () => {
        done.push('second');
      }),
    ];
    expect(done).toEqual([]);
    first.resolve();
    await Promise.all(results);
    expect(done).toEqual(['first', 'second']);
  });

  it('does nothing more once work has failed, so that nothing is committed over what is missing', async () => {
    const lane = aLane();
    const failed = lane.run(() => Promise.reject(new Error('a bug')));
    let isDone = false;
    const next = lane.run(async () => {
      isDone = true;
    });
    await expect(failed).rejects.toThrow('a bug');
    await expect(next).rejects.toThrow('a bug');
    expect(isDone).toBe(false);
  });
});

describe('uncommitted', () => {
  it('is the offset behind the last event', () => {
    const lane = aLane();
    expect(lane.uncommitted).toBeUndefined();
    lane.took(4n);
    expect(lane.uncommitted).toBe(5n);
  });

  it('is where the processor wants to begin again, if it does', () => {
    const about: { resumeOffset?: bigint | undefined } = { resumeOffset: 2n };
    const lane = aLane(about);
    lane.took(4n);
    expect(lane.uncommitted).toBe(2n);
    about.resumeOffset = undefined;
    expect(lane.uncommitted).toBe(5n);
  });

  it('is nothing once that has been committed', () => {
    const lane = aLane();
    lane.took(4n);
    lane.committed(5n);
    expect(lane.uncommitted).toBeUndefined();
    lane.took(5n);
    expect(lane.uncommitted).toBe(6n);
  });
});

describe('beginning', () => {
  it('is where the partition is begun anew: the committed offset, before that the first that was taken', () => {
    const lane = aLane();
    expect(lane.beginning).toBeUndefined();
    lane.took(4n);
    lane.took(5n);
    expect(lane.beginning).toBe(4n);
    lane.committed(6n);
    expect(lane.beginning).toBe(6n);
  });
});
