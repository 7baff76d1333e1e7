import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnalyticsProcessor } from '../../../../consumers/analytics/processor.ts';
import { rollupKey, Windows, windowMs } from '../../../../consumers/analytics/windows.ts';
import { Lane } from '../../../../consumers/runtime/lane.ts';
import type { ContentVerdict, Rollup } from '../../../../schemas/generated/events.ts';
import { aCounter, countsOf, received } from '../../../support/verdicts.ts';

const startMs = 1_699_999_980_000;
const settings = { graceMs: 15_000, emitMs: 5_000 };

describe('AnalyticsProcessor', () => {
  it('writes rows under their key, with the time at which they were given out', () => {
    const processor = new AnalyticsProcessor(new Windows(0, settings), aCounter('how'));
    expect(processor.take(received(0))).toEqual({ kind: 'ok' });
    const [record] = processor.tick(startMs + 20_000) as readonly { readonly value: Rollup }[];
    expect(record).toEqual({
      topic: 'rollup',
      key: record && rollupKey(record.value),
      value: expect.objectContaining({ verdicts: 1, inputPartition: 0 }),
      timestampMs: startMs + 20_000,
    });
  });

  it('skips what was counted before a restart, and counts how each verdict was taken', async () => {
    const before = new Windows(0, settings);
    before.add(received(0).value, 0n);
    const windows = new Windows(0, settings);
    for (const row of before.due(startMs + 2 * windowMs)) windows.restore(row);
    const counted = aCounter('how');
    const processor = new AnalyticsProcessor(windows, counted);
    expect(processor.take(received(0))).toEqual({ kind: 'skip', why: 'counted before' });
    expect(processor.take(received(1))).toEqual({ kind: 'ok' });
    expect(processor.take(received(2, { receivedAt: startMs + 3 * windowMs }))).toEqual({ kind: 'ok' });
    expect(await countsOf(counted)).toEqual({ repeated: 1, late: 1, counted: 1 });
  });

  it('begins again where its windows say', () => {
    const processor = new AnalyticsProcessor(new Windows(0, settings), aCounter('how'));
    expect(processor.resumeOffset()).toBeUndefined();
    processor.take(received(5));
    expect(processor.resumeOffset()).toBe(5n);
  });
});

/** What happens to a service: events, time, and ends of its process. */
type Step =
  | { readonly kind: 'take'; readonly count: number }
  | { readonly kind: 'tick'; readonly afterMs: number }
  | { readonly kind: 'end' }
  /** The process ends while rows are being written; some are durable, and nothing is committed. */
  | { readonly kind: 'end in a tick'; readonly afterMs: number; readonly isDurable: readonly boolean[] };

const anAfterMs = fc.integer({ min: 0, max: 2 * windowMs });
const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('tick' as const), afterMs: anAfterMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('end in a tick' as const),
      afterMs: anAfterMs,
      isDurable: fc.array(fc.boolean(), { maxLength: 8 }),
    }),
  },
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

/** A partition with its verdicts and one service after the other, as the runtime has them. */
class Partition {
  readonly #verdicts: readonly Partial<ContentVerdict>[];
  readonly #durable: Rollup[] = [];
  #committed = 0n;
  #nowMs = startMs;
  #lane: Lane<'ContentVerdict'>;

  constructor(verdicts: readonly Partial<ContentVerdict>[]) {
    this.#verdicts = verdicts;
    this.#lane = this.#begin();
  }

  run(step: Step): void {
    if (step.kind === 'take') this.#take(step.count);
    if (step.kind === 'tick') {
      this.#durable.push(...this.#due(step.afterMs));
      this.#commit();
    }
    if (step.kind === 'end in a tick') {
      this.#durable.push(...this.#due(step.afterMs).filter((_, index) => step.isDurable[index] === true));
    }
    if (step.kind !== 'take' && step.kind !== 'tick') this.#lane = this.#begin();
  }

  /** What the latest rows add up to. */
  get sum(): number {
    const latest = new Map(this.#durable.map((row) => [rollupKey(row), row]));
    return Array.from(latest.values()).reduce((sum, { verdicts }) => sum + verdicts, 0);
  }

  get isComplete(): boolean {
    return Array.from(new Map(this.#durable.map((row) => [rollupKey(row), row])).values()).every(
      ({ isComplete }) => isComplete,
    );
  }

  #begin(): Lane<'ContentVerdict'> {
    const windows = new Windows(0, settings);
    for (const row of this.#durable) windows.restore(row);
    return new Lane(0, new AnalyticsProcessor(windows, aCounter('how')));
  }

  #take(count: number): void {
    for (let taken = 0; taken < count; taken += 1) {
      const offset = this.#lane.next ?? this.#committed;
      const verdict = this.#verdicts[Number(offset)];
      if (verdict === undefined) return;
      this.#lane.processor.take(received(Number(offset), verdict));
      this.#lane.took(offset);
    }
    this.#commit();
  }

  #due(afterMs: number): readonly Rollup[] {
    this.#nowMs += afterMs;
    return (this.#lane.processor.tick?.(this.#nowMs) ?? []).map(({ value }) => value as Rollup);
  }

  #commit(): void {
    const offset = this.#lane.uncommitted;
    if (offset === undefined) return;
    this.#committed = offset;
    this.#lane.committed(offset);
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
