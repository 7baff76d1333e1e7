import { describe, expect, it } from 'vitest';
import { rollupKey, Windows, windowMs } from '../../../../consumers/analytics/windows.ts';
import type { Rollup, WindowRow } from '../../../../schemas/generated/events.ts';
import { sdkAppId } from '../../../support/callbacks.ts';
import { MapState } from '../../../support/map-state.ts';
import { aVerdict } from '../../../support/verdicts.ts';

const startMs = 1_699_999_980_000;
const graceMs = 15_000;
const emitMs = 5_000;
const endMs = startMs + windowMs;
const closeMs = endMs + graceMs;
const partition = 3;

/** Windows of partition 3, and a way to add verdicts of the window at `startMs` by offset. */
function setUp(state = new MapState<WindowRow>()) {
  const windows = new Windows({ partition, nextOffset: 0, state, graceMs, emitMs });
  const add = (offset: number, more: Parameters<typeof aVerdict>[0] = {}) =>
    windows.add(aVerdict({ receivedAt: startMs, ...more }), offset);
  return { windows, add, state };
}

function numbers(rows: readonly Rollup[]): readonly (readonly [string | null, number, boolean])[] {
  return rows.map(({ label, verdicts, isComplete }) => [label, verdicts, isComplete]);
}

describe('a row', () => {
  it('says what was counted, of which partition, through which offset, and when', () => {
    const { windows, add } = setUp();
    add(7);
    add(9);
    expect(windows.due(startMs + 20_000)).toEqual([
      {
        sdkAppId,
        windowStart: startMs,
        windowMs: 60_000,
        scene: 'Group',
        label: 'Ad',
        suggestion: 'BLOCK',
        result: 'BLOCKED',
        inputPartition: 3,
        verdicts: 2,
        throughOffset: 9,
        isComplete: false,
        updatedAt: startMs + 20_000,
      },
    ]);
  });

  it.each([
    ['app', { sdkAppId: 1 }],
    ['scene', { scene: 'C2C' }],
    ['absent scene', { scene: null }],
    ['label', { label: 'Porn' }],
    ['absent label', { label: null }],
    ['suggestion', { suggestion: 'REVIEW' }],
    ['absent suggestion', { suggestion: null }],
    ['result', { result: 'PASSED' }],
    ['minute of receivedAt', { receivedAt: startMs + windowMs }],
  ] as const)('is one of its own for another %s, with a key of its own', (_dimension, other) => {
    const { windows, add } = setUp();
    add(0);
    add(1, other);
    add(2);
    const rows = windows.due(startMs + 20_000);
    expect(rows.map(({ verdicts }) => verdicts)).toEqual([2, 1]);
    expect(new Set(rows.map(rollupKey)).size).toBe(2);
  });

  it('is the same one whoever wrote what, and whatever it was about', () => {
    const { windows, add } = setUp();
    add(0);
    add(1, { fromAccount: 'other', subLabel: 'x', eventId: 'e-2', contentType: 'Image', receivedAt: endMs - 1 });
    expect(windows.due(closeMs).map(({ verdicts }) => verdicts)).toEqual([2]);
  });

  it('has a key that begins with the app and tells every text from an absent one', () => {
    const { windows, add } = setUp();
    add(0, { label: null, suggestion: null });
    add(1, { label: 'null', suggestion: null });
    expect(windows.due(startMs + 20_000).map(rollupKey)).toEqual([
      `${sdkAppId}/[${startMs},60000,3,"Group",null,null,"BLOCKED"]`,
      `${sdkAppId}/[${startMs},60000,3,"Group","null",null,"BLOCKED"]`,
    ]);
  });
});

describe('an open window', () => {
  it('is given out every emitMs, as absolute numbers: a later row replaces the earlier one', () => {
    const { windows, add } = setUp();
    add(0);
    const [first] = windows.due(startMs + 5_000);
    add(1);
    expect(windows.due(startMs + 9_999)).toEqual([]);
    const [second] = windows.due(startMs + 10_000);
    expect([first?.verdicts, second?.verdicts]).toEqual([1, 2]);
    expect(first && rollupKey(first)).toBe(second && rollupKey(second));
  });

  it('gives out only rows that have changed', () => {
    const { windows, add } = setUp();
    add(0);
    add(1, { label: 'Porn' });
    windows.due(startMs + 5_000);
    add(2, { label: 'Porn' });
    expect(numbers(windows.due(startMs + 10_000))).toEqual([['Porn', 2, false]]);
    expect(windows.due(startMs + 15_000)).toEqual([]);
  });

  it('is given out whole as complete when its end and the grace are over, whatever the interval, and once', () => {
    const { windows, add } = setUp();
    add(0);
    add(1, { label: 'Porn' });
    windows.due(closeMs - 1);
    expect(numbers(windows.due(closeMs))).toEqual([
      ['Ad', 1, true],
      ['Porn', 1, true],
    ]);
    expect(windows.due(closeMs + 60_000)).toEqual([]);
  });

  it('counts what comes within the grace', () => {
    const { windows, add } = setUp();
    add(0);
    windows.due(closeMs - 1);
    expect(add(1)).toBe('counted');
    expect(numbers(windows.due(closeMs))).toEqual([['Ad', 2, true]]);
  });
});

describe('a late verdict', () => {
  it('is added to the complete row, which is given out again at once', () => {
    const { windows, add } = setUp();
    add(0);
    add(1, { label: 'Porn' });
    windows.due(closeMs);
    expect(add(2)).toBe('late');
    expect(numbers(windows.due(closeMs + 1))).toEqual([['Ad', 2, true]]);
  });

  it('begins a row that the window did not have', () => {
    const { windows, add } = setUp();
    add(0);
    windows.due(closeMs);
    add(1, { label: 'Porn' });
    expect(numbers(windows.due(closeMs + 1))).toEqual([['Porn', 1, true]]);
  });

  it('is corrected up to six hours of verdicts later', () => {
    const { windows, add } = setUp();
    add(0);
    windows.due(closeMs);
    const sixHoursMs = 6 * 60 * 60_000;
    add(1, { receivedAt: startMs + sixHoursMs });
    windows.due(startMs + sixHoursMs);
    expect(add(2)).toBe('late');
    expect(numbers(windows.due(startMs + sixHoursMs + 1))).toEqual([['Ad', 2, true]]);
  });
});

describe('a window six hours of verdicts ago', () => {
  it('is not kept any more once it is complete', () => {
    const { windows, add, state } = setUp();
    add(0);
    windows.due(closeMs);
    add(1, { receivedAt: startMs + 6 * 60 * 60_000 + windowMs });
    windows.due(startMs + 7 * 60 * 60_000);
    expect([...state.values.values()].map(({ windowStart }) => windowStart)).toEqual([
      startMs + 6 * 60 * 60_000 + windowMs,
    ]);
  });
});

describe('a verdict of a window that is not kept any more', () => {
  it('is too late: what was given out stays', () => {
    const { windows, add, state } = setUp();
    add(0);
    windows.due(closeMs);
    add(1, { receivedAt: startMs + 6 * 60 * 60_000 + windowMs });
    windows.due(startMs + 7 * 60 * 60_000);
    expect(add(2)).toBe('too late');
    expect(windows.due(startMs + 8 * 60 * 60_000)).toEqual([]);
    expect(state.values.size).toBe(1);
  });
});

describe('after a restart', () => {
  it('goes on with an open window', () => {
    const before = setUp();
    before.add(0);
    before.add(1);
    before.windows.due(startMs + 5_000);
    const { windows, add } = setUp(before.state);
    expect(windows.due(startMs + 10_000)).toEqual([]);
    expect(add(2)).toBe('counted');
    expect(numbers(windows.due(closeMs))).toEqual([['Ad', 3, true]]);
  });

  it('gives out what had not been', () => {
    const before = setUp();
    before.add(0);
    const { windows } = setUp(before.state);
    expect(numbers(windows.due(startMs + 5_000))).toEqual([['Ad', 1, false]]);
  });

  it('adds what comes late to a complete window', () => {
    const before = setUp();
    before.add(0);
    before.windows.due(closeMs);
    const { windows, add } = setUp(before.state);
    expect(windows.due(closeMs + 1)).toEqual([]);
    expect(add(1)).toBe('late');
    expect(numbers(windows.due(closeMs + 1))).toEqual([['Ad', 2, true]]);
  });

  it('says that a row is counted through the offset before the next one', () => {
    const before = setUp();
    before.add(0);
    const windows = new Windows({ partition, nextOffset: 8, state: before.state, graceMs, emitMs });
    expect(windows.due(closeMs)).toMatchObject([{ throughOffset: 7 }]);
  });
});
