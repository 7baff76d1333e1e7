import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Assignment } from '../../../../consumers/runtime/assignment.ts';
import { KafkaRequestError } from '../../../../lib/kafka/admin.ts';
import { FencedError } from '../../../../lib/kafka/transact/errors.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

/** An assignment of two partitions whose claims all fail like this. */
function failing(error: Error) {
  const clock = new ManualClock();
  const told = { lost: 0, bugs: 0, claims: 0 };
  const assignment = new Assignment({
    partitions: [0, 1],
    claim: () => {
      told.claims += 1;
      return Promise.reject(error);
    },
    onLost: () => {
      told.lost += 1;
    },
    onBug: () => {
      told.bugs += 1;
    },
    clock,
    logger: silentLogger,
  });
  return { clock, told, assignment };
}

async function turns(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await turn();
}

describe('an assignment that cannot take its partitions', () => {
  it('tries again every 2 s where that may pass, and says what is in the way', async () => {
    const { clock, told, assignment } = failing(new KafkaRequestError('Kafka: im.verdict.v1/3 has no leader'));
    await turns();
    expect(assignment.readiness).toEqual({
      status: 'unavailable',
      reasons: ['reading back the state of 2 of 2 partitions: Kafka: im.verdict.v1/3 has no leader'],
    });
    clock.advance(2_000);
    await turns();
    expect(told).toEqual({ lost: 0, bugs: 0, claims: 4 });
  });

  it('takes no id back from whoever has taken it meanwhile, but asks once for the partitions anew', async () => {
    const { clock, told } = failing(new FencedError('somebody else has it'));
    await turns();
    clock.advance(10_000);
    await turns();
    expect(told).toEqual({ lost: 1, bugs: 0, claims: 2 });
  });

  it('tells of a bug', async () => {
    const { told } = failing(new TypeError('a bug'));
    await turns();
    expect(told).toEqual({ lost: 0, bugs: 2, claims: 2 });
  });
});
