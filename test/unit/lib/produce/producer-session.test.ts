import { describe, expect, it } from 'vitest';
import { lastSequence, ProducerSession } from '../../../../lib/kafka/produce/producer-session.ts';

describe('ProducerSession', () => {
  it('numbers the records of each partition by itself', () => {
    const session = new ProducerSession(5n, 1);
    const numbers = [session.identify('a', 3), session.identify('b', 2), session.identify('a', 1)];
    expect(numbers).toEqual([
      { producerId: 5n, producerEpoch: 1, firstSequence: 0 },
      { producerId: 5n, producerEpoch: 1, firstSequence: 0 },
      { producerId: 5n, producerEpoch: 1, firstSequence: 3 },
    ]);
  });

  it('is spent before a number would be beyond 2^31 - 1, and not earlier', () => {
    const session = new ProducerSession(5n, 1);
    session.identify('a', lastSequence - 1);
    expect(session.isSpent(['a', 'b'], 2)).toBe(false);
    expect(session.isSpent(['b', 'a'], 3)).toBe(true);
    expect(session.isSpent(['b'], 3)).toBe(false);
  });
});
