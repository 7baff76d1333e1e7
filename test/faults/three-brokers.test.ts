import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../lib/clock.ts';
import { noEmbedded, skipNote } from '../support/embedded.ts';
import { type OwnCluster, startOwnCluster } from '../support/own-cluster.ts';
import { faultMs, testTimeoutMs } from './length.ts';
import { underFault } from './scenario.ts';

describe.skipIf(noEmbedded !== undefined)(`ingest on three brokers${skipNote}`, { timeout: testTimeoutMs }, () => {
  let cluster: OwnCluster;

  beforeAll(async () => {
    cluster = await startOwnCluster(3);
  });
  afterAll(() => cluster.stop());

  it('three brokers, one lost, then two, then back', async (context) => {
    const [, second, third] = cluster.brokers;
    const outcome = await underFault(context, {
      cluster,
      play: async () => {
        await second?.kill();
        await sleep(systemClock, faultMs / 2);
        await third?.kill();
        await sleep(systemClock, faultMs / 2);
        await Promise.all([second?.start(), third?.start()]);
      },
    });
    expect(outcome).toMatchObject({ refused: 0, unanswered: 0 });
    expect(outcome.answers.disk).toBeGreaterThan(0);
  });
});
