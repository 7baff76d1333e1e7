// A partition with a million users: restored from its topic alone, and from the snapshot that this has left.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { avroCodec, Changelog } from '../../consumers/runtime/changelog.ts';
import { EventDecoder } from '../../consumers/runtime/decoder.ts';
import { createConsumerMetrics } from '../../consumers/runtime/metrics.ts';
import { restore } from '../../consumers/runtime/partition/restore.ts';
import { systemClock } from '../../lib/clock.ts';
import { processSources } from '../../lib/config/sources.ts';
import { clusterOptions } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { silentLogger } from '../../lib/logger.ts';
import { openPlace, tell } from './place.ts';

const { env } = processSources();
const users = Number(env['BENCH_USERS'] ?? 1_000_000);
const atOnce = 5_000;
const { values, registry, destinations, sink, writer } = await openPlace();
const [state, progress] = [destinations.get('penalty.state'), destinations.get('penalties.progress')];
if (state === undefined || progress === undefined) throw new Error('no topics');
const { signal } = new AbortController();

if (env['BENCH_PART'] === 'write') {
  for (let written = 0; written < users; written += atOnce) {
    await sink.send(
      Array.from({ length: atOnce }, (_, index) => {
        const number = written + index;
        const strike = {
          eventId: number.toString(16).padStart(32, '0'),
          moderationRequestId: null,
          at: Date.now(),
          weight: 1,
        };
        const value = { strikes: [strike], mutedUntil: null };
        const record = writer.recordOf({
          topic: 'penalty.state',
          key: `1400187352/user-${number}`,
          value,
          timestampMs: Date.now(),
        });
        return { ...record, partition: 0 };
      }),
    );
  }
  tell({ users });
  process.exit(0);
}

const folder = env['BENCH_FOLDER'] ?? mkdtempSync(join(tmpdir(), 'imwatch-bench-'));
const changelog = new Changelog(
  { destination: state, decoder: new EventDecoder('Standing', registry), record: 'Standing' },
  { destination: progress, decoder: new EventDecoder('SeenEvents', registry), record: 'SeenEvents' },
);
const beganMs = performance.now();
const copy = await restore({
  cluster: new Cluster(clusterOptions(values, 'imwatch-bench')),
  clusterId: 'bench',
  changelog,
  codec: avroCodec('Standing'),
  folder,
  horizonMs: 86_400_000,
  partition: 0,
  metrics: createConsumerMetrics(() => ({ partitions: { running: 0, claiming: 0, stopped: 0 }, oldestInFlightMs: 0 })),
  clock: systemClock,
  logger: silentLogger,
  signal,
});
if (copy.state.get(`1400187352/user-${users - 1}`) === undefined) throw new Error('the last user is missing');
const restoredS = (performance.now() - beganMs) / 1_000;
copy.flush(Date.now());
copy[Symbol.dispose]();
tell({ restoredS, mostMiB: process.resourceUsage().maxRSS / 1024 });
if (env['BENCH_FOLDER'] === undefined) rmSync(folder, { recursive: true });
process.exit(0);
