import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnalyticsProcessor, type Counts } from '../../../../consumers/analytics/processor.ts';
import { rollupKey, Windows, windowMs } from '../../../../consumers/analytics/windows.ts';
import type { ContentVerdict, Rollup, WindowRow } from '../../../../schemas/generated/events.ts';
import { MapState } from '../../../support/map-state.ts';
import { received } from '../../../support/verdicts.ts';

const startMs = 1_699_999_980_000;
const settings = { graceMs: 15_000, emitMs: 5_000 };

function aProcessor(state = new MapState<WindowRow>(), nextOffset = 0) {
  const counts: Counts = { counted: 0, late: 0, 'too late': 0 };
  const windows = new Windows({ partition: 0, nextOffset, state, ...settings });
  return { processor: new AnalyticsProcessor(windows, counts), counts };
}

describe('AnalyticsProcessor', () => {
  it('writes rows under their key, with the time at which they were given out', () => {
    const { processor } = aProcessor();
    expect(processor.take(received(0))).toEqual({ kind: 'ok' });
    const [record] = processor.tick(startMs + 20_000) as readonly { readonly value: Rollup }[];
    expect(record).toEqual({
      topic: 'rollup',
      key: record && rollupKey(record.value),
      value: expect.objectContaining({ verdicts: 1, inputPartition: 0 }),
      timestampMs: startMs + 20_000,
    });
  });

  it('counts how each verdict was taken', () => {
    const { processor, counts } = aProcessor();
    processor.take(received(0));
    processor.tick(startMs + 2 * windowMs);
    processor.take(received(1));
    processor.take(received(2, { receivedAt: startMs + 3 * windowMs }));
    expect(counts).toEqual({ counted: 2, late: 1, 'too late': 0 });
  });
});

/** What happens to a service: events, time, and the end of its process, before which the last piece of work was perhaps not committed. */
type Step =
  | { readonly kind: 'take'; readonly count: number }
  | { readonly kind: 'tick'; readonly afterMs: number }
  | { readonly kind: 'end'; readonly isCommitted: boolean };

const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('tick' as const), afterMs: fc.integer({ min: 0, max: 2 * windowMs }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), isCommitted: fc.boolean() }) },
);

/** Verdicts in any order of time, so that many are late. */
const someVerdicts = fc.array(
  fc.record({
    receivedAt: fc.integer({ min: startMs, max: startMs + 6 * windowMs }),
    label: fc.constantFrom('Ad', 'Porn', null),
    result: fc.constantFrom('BLOCKED' as const, 'PASSED' as const),
  }),
  { maxLength: 60 },
);

/** A partition with its verdicts and one service after the other, whose work is committed whole or not at all, as the runtime does. */
class Partition {
  readonly #verdicts: readonly Partial<ContentVerdict>[];
  #nowMs = startMs;
  /** The last two commits; the later one is lost when a process ends before it. */
  #commits: { readonly rows: readonly Rollup[]; readonly next: number; readonly state: MapState<WindowRow> }[] = [
    { rows: [], next: 0, state: new MapState() },
  ];
  #state = new MapState<WindowRow>();
  #next = 0;
  #rows: readonly Rollup[] = [];
  #processor = aProcessor(this.#state).processor;

  constructor(verdicts: readonly Partial<ContentVerdict>[]) {
    this.#verdicts = verdicts;
  }

  run(step: Step): void {
    if (step.kind === 'take') this.#take(step.count);
    if (step.kind === 'tick') {
      this.#nowMs += step.afterMs;
      const due = this.#processor.tick(this.#nowMs).map(({ value }) => value as Rollup);
      this.#rows = [...this.#rows, ...due];
      this.#commit();
    }
    if (step.kind === 'end') this.#restart(step.isCommitted);
  }

  get #latest(): readonly Rollup[] {
    return [...new Map(this.#rows.map((row) => [rollupKey(row), row])).values()];
  }

  /** What the latest rows add up to. */
  get sum(): number {
    return this.#latest.reduce((sum, { verdicts }) => sum + verdicts, 0);
  }

  get isComplete(): boolean {
    return this.#latest.every(({ isComplete }) => isComplete);
  }

  #take(count: number): void {
    for (const verdict of this.#verdicts.slice(this.#next, this.#next + count)) {
      this.#processor.take(received(this.#next, verdict));
      this.#next += 1;
    }
    this.#commit();
  }

  #commit(): void {
    const state = new MapState(this.#state.entries());
    this.#commits = [...this.#commits.slice(-1), { rows: this.#rows, next: this.#next, state }];
  }

  #restart(isCommitted: boolean): void {
    const last = this.#commits.at(isCommitted ? -1 : 0);
    if (last === undefined) return;
    this.#commits = [last];
    this.#state = new MapState(last.state.entries());
    this.#next = last.next;
    this.#rows = last.rows;
    this.#processor = aProcessor(this.#state, this.#next).processor;
  }
}

describe('the rows', () => {
  it('add up to the verdicts that were taken, whatever their order and wherever the service ends', () => {
    fc.assert(
      fc.property(someVerdicts, fc.array(aStep, { maxLength: 40 }), (verdicts, steps) => {
        const partition = new Partition(verdicts);
        for (const step of steps) partition.run(step);
        partition.run({ kind: 'take', count: verdicts.length });
        partition.run({ kind: 'tick', afterMs: 20 * windowMs });
        expect(partition.sum).toBe(verdicts.length);
        expect(partition.isComplete).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
