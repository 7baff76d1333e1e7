import type { Counter } from 'prom-client';
import type { Rollup } from '../../schemas/generated/events.ts';
import type { TopicRecord } from '../../schemas/record-writer.ts';
import type { Outcome, PartitionProcessor, Received } from '../runtime/processor.ts';
import { rollupKey, type Windows } from './windows.ts';

/** Counts the verdicts of one partition; what there is to write is given out by time. */
export class AnalyticsProcessor implements PartitionProcessor<'ContentVerdict'> {
  readonly #windows: Windows;
  readonly #counted: Counter<'how'>;

  constructor(windows: Windows, counted: Counter<'how'>) {
    this.#windows = windows;
    this.#counted = counted;
  }

  take({ value, offset }: Received<'ContentVerdict'>): Outcome {
    this.#counted.inc({ how: this.#windows.add(value, offset) });
    return { kind: 'ok' };
  }

  tick(nowMs: number): readonly TopicRecord[] {
    return this.#windows.due(nowMs).map(recordOf);
  }
}

function recordOf(rollup: Rollup): TopicRecord<'rollup'> {
  return { topic: 'rollup', key: rollupKey(rollup), value: rollup, timestampMs: rollup.updatedAt };
}
