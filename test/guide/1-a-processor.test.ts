import { describe, expect, it } from 'vitest';
import type { Outcome, PartitionProcessor, Received } from '../../consumers/runtime/processor.ts';
import type { State } from '../../consumers/runtime/state/state-store.ts';
import type { ContentVerdict } from '../../schemas/generated/events.ts';
import { MapState } from '../support/map-state.ts';
import { received } from '../support/verdicts.ts';

/**
 * Chapter 1. A processor is what a consumer thinks: it takes one event after the other, changes its state, and says what is to be
 * written. It opens no connection, asks no clock, and handles no failure. So it is tested by calling it.
 *
 * This one counts the verdicts of each user, and lets those pass that name none.
 */
class CountingProcessor implements PartitionProcessor<ContentVerdict> {
  readonly #counts: State<number>;

  constructor(counts: State<number>) {
    this.#counts = counts;
  }

  take({ value }: Received<ContentVerdict>): Outcome {
    if (value.fromAccount === null) return { kind: 'skip', why: 'it names no sender' };
    this.#counts.set(value.fromAccount, (this.#counts.get(value.fromAccount) ?? 0) + 1);
    return { kind: 'ok' };
  }
}

describe('a processor', () => {
  it('takes events in order, and keeps what it needs to know in its state', () => {
    const counts = new MapState<number>();
    const processor = new CountingProcessor(counts);
    expect(processor.take(received(0, { fromAccount: 'jared' }))).toEqual({ kind: 'ok' });
    processor.take(received(1, { fromAccount: 'jared' }));
    expect(processor.take(received(2, { fromAccount: null }))).toEqual({ kind: 'skip', why: 'it names no sender' });
    expect(counts.get('jared')).toBe(2);
  });

  it('is dropped whenever something fails, and another one goes on with the state: it keeps nothing that matters elsewhere', () => {
    const counts = new MapState<number>();
    new CountingProcessor(counts).take(received(0, { fromAccount: 'jared' }));
    new CountingProcessor(counts).take(received(1, { fromAccount: 'jared' }));
    expect(counts.get('jared')).toBe(2);
  });
});
