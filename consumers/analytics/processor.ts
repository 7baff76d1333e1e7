import type { Rollup } from '../../schemas/generated/events.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';
import type { AnyEvent, Outcome, PartitionProcessor, Received } from '../runtime/processor.ts';
import { type CountedVerdict, type HowCounted, rollupKey, type Windows } from './windows.ts';

/** Verdicts by how they were counted. */
export type Counts = Record<HowCounted, number>;

const ok: Outcome = { kind: 'ok' };

/** Counts the verdicts of one partition; what there is to write is given out by time. */
export class AnalyticsProcessor implements PartitionProcessor<AnyEvent & CountedVerdict> {
  readonly #windows: Windows;
  readonly #counts: Counts;

  constructor(windows: Windows, counts: Counts) {
    this.#windows = windows;
    this.#counts = counts;
  }

  take({ value, offset }: Received<AnyEvent & CountedVerdict>): Outcome {
    this.#counts[this.#windows.add(value, offset)] += 1;
    return ok;
  }

  tick(nowMs: number): readonly TopicRecord[] {
    return this.#windows.due(nowMs).map(recordOf);
  }
}

function recordOf(rollup: Rollup): TopicRecord<'rollup'> {
  return { topic: 'rollup', key: rollupKey(rollup), value: rollup, timestampMs: rollup.updatedAt };
}
