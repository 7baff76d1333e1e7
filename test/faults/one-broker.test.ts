import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sleep, systemClock } from '../../lib/clock.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { type OwnCluster, type OwnProgram, startOwnCluster } from '../support/own-cluster.ts';
import { faultMs, testTimeoutMs } from './length.ts';
import { underFault } from './scenario.ts';
import { smallDisks } from './small-disk.ts';

const burstSize = 10;

/** Resolves after this share of the time that a fault lasts. */
function lasting(share = 1): Promise<void> {
  return sleep(systemClock, share * faultMs);
}

describe.skipIf(noEmbedded !== undefined)(`ingest on one broker${skipNote}`, { timeout: testTimeoutMs }, () => {
  let cluster: OwnCluster;
  let broker: OwnProgram;
  let registry: OwnProgram;

  beforeAll(async () => {
    cluster = await startOwnCluster();
    const [first] = cluster.brokers;
    if (first === undefined) throw new Error('No broker');
    broker = first;
    ({ registry } = cluster);
  });
  afterAll(() => cluster.stop());

  it('broker killed and started again', async (context) => {
    const outcome = await underFault(context, {
      cluster,
      play: async () => {
        await broker.kill();
        await lasting();
        await broker.start();
      },
    });
    expect(outcome).toMatchObject({ refused: 0, unanswered: 0 });
    expect(outcome.answers.disk).toBeGreaterThan(0);
  });

  it('broker frozen', async (context) => {
    const outcome = await underFault(context, {
      cluster,
      play: async ({ ingest }) => {
        broker.freeze();
        await lasting();
        expect(await ingest.status()).toBe('degraded');
        broker.thaw();
      },
    });
    expect(outcome).toMatchObject({ refused: 0, unanswered: 0 });
    expect(outcome.answers.disk).toBeGreaterThan(0);
  });

  it('registry away at the start', async (context) => {
    const outcome = await underFault(context, {
      cluster,
      atStart: () => registry.kill(),
      play: async ({ ingest }) => {
        await lasting();
        expect(await ingest.reasons()).toContain('registry');
        await registry.start();
      },
    });
    expect(outcome).toMatchObject({ refused: 0, unanswered: 0, duplicates: 0 });
    expect(outcome.answers.disk).toBeGreaterThan(0);
  });

  it('registry away in the middle', async (context) => {
    const outcome = await underFault(context, {
      cluster,
      play: async () => {
        await registry.kill();
        await lasting();
        await registry.start();
      },
    });
    expect(outcome).toMatchObject({ refused: 0, unanswered: 0, duplicates: 0, answers: { disk: 0 } });
  });

  it('ingest killed and started again', async (context) => {
    const outcome = await underFault(context, {
      cluster,
      play: async ({ ingest }) => {
        await ingest.kill();
        await ingest.start();
      },
    });
    expect(outcome.refused).toBe(0);
    expect(outcome.unanswered).toBeGreaterThan(0);
  });

  it('ingest killed while the broker is frozen', async (context) => {
    const outcome = await underFault(context, {
      cluster,
      play: async ({ ingest }) => {
        broker.freeze();
        await lasting(2 / 3);
        await ingest.kill();
        await ingest.start();
        await lasting(1 / 3);
        broker.thaw();
      },
    });
    expect(outcome.refused).toBe(0);
    expect(outcome.answers.disk).toBeGreaterThan(0);
  });

  it('one process in place of three, broker frozen', async (context) => {
    const outcome = await underFault(context, {
      cluster,
      processes: 3,
      play: async ({ ingests, ingest, sending }) => {
        broker.freeze();
        await lasting(2 / 3);
        await Promise.all(ingests.map((each) => each.stop()));
        await ingest.start();
        sending.aim([ingest.url]);
        await lasting(1 / 3);
        broker.thaw();
      },
    });
    expect(outcome.refused).toBe(0);
    expect(outcome.answers.disk).toBeGreaterThan(0);
  });

  describe.for(smallDisks)('$name', ({ name, trouble, startedBy, fill, free }) => {
    const note = trouble === undefined ? '' : ` (skipped: ${trouble})`;
    it.skipIf(trouble !== undefined)(`disk full, broker frozen: ${name}${note}`, async (context) => {
      const outcome = await underFault(context, {
        cluster,
        startedBy,
        play: async ({ ingest, spoolFolder, sending }) => {
          broker.freeze();
          await lasting(1 / 2);
          fill(ingest, spoolFolder);
          await lasting(1 / 4);
          expect(await ingest.status()).toBe('unavailable');
          await vi.waitFor(() => expect(sending.counts.refused).toBeGreaterThan(0), { timeout: 5_000 });
          free(ingest, spoolFolder);
          await lasting(1 / 4);
          expect(await ingest.status()).toBe('degraded');
          broker.thaw();
        },
      });
      expect(outcome.unanswered).toBe(0);
      expect(outcome.answers.disk).toBeGreaterThan(0);
      expect(outcome.answers.none).toBe(outcome.refused);
    });
  });

  it('bursts of 1 MiB bodies and 1,000-item batches to one partition, broker frozen', async (context) => {
    const outcome = await underFault(context, {
      cluster,
      settings: { IMWATCH_PARTITIONS: '1' },
      play: async ({ sending }) => {
        sending.burst(burstSize);
        await lasting(1 / 3);
        broker.freeze();
        sending.burst(burstSize);
        await lasting(2 / 3);
        broker.thaw();
      },
    });
    expect(outcome).toMatchObject({ refused: 0, unanswered: 0 });
    expect(outcome.sent).toBeGreaterThanOrEqual(2 * burstSize * 1_001);
  });
});
