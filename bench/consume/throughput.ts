// A topic of verdicts taken by penalties, every verdict a strike: outputs, state, ids and offsets in transactions; beside a reader of
// kafkajs that does nothing with its batches. In alternating rounds, each from the begin of the topic.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clusterOptions } from '../../lib/kafka/client.ts';
import { Cluster } from '../../lib/kafka/cluster.ts';
import { committedOffsets } from '../../lib/kafka/consume/partition-offsets.ts';
import { Coordinators } from '../../lib/kafka/coordinators.ts';
import { topicName } from '../../schemas/topics.ts';
import { openPlace, tell, writeVerdicts } from './place.ts';

const count = Number(process.env['BENCH_RECORDS'] ?? 200_000);
const users = 20_000;
const rounds = 3;
const place = await openPlace();
const { kafka, values, env, destinations } = place;
await writeVerdicts(place, count, users);
const topic = topicName(values.topicPrefix, 'verdict');
const partitions = Array.from({ length: destinations.get('verdict')?.partitions ?? 0 }, (_, number) => number);

/** Records a second from the first batch to the last. */
async function raw(): Promise<number> {
  const consumer = kafka.consumer({ groupId: `bench-raw-${randomBytes(4).toString('hex')}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const done = Promise.withResolvers<void>();
  let taken = 0;
  let firstMs = 0;
  await consumer.run({
    eachBatch: async ({ batch }) => {
      if (taken === 0) firstMs = performance.now();
      taken += batch.messages.length;
      if (taken >= count) done.resolve();
    },
  });
  await done.promise;
  const lastMs = performance.now();
  await consumer.disconnect();
  return count / ((lastMs - firstMs) / 1_000);
}

/** Verdicts a second of a process of penalties, by the offsets that it has committed: from the first to the last. */
async function transactions(): Promise<number> {
  const groupId = `${values.topicPrefix}.penalties`;
  const cluster = new Cluster(clusterOptions(values, 'imwatch-bench'));
  const coordinators = new Coordinators(cluster);
  const { signal } = new AbortController();
  const settled = async (): Promise<number> => {
    const offsets = await committedOffsets({ coordinators, groupId, topic, partitions, signal });
    return [...offsets.values()].reduce((sum: number, offset) => sum + (offset ?? 0), 0);
  };
  const cli = join(import.meta.dirname, '../../cli/start.js');
  const child = spawn(process.execPath, [cli, 'penalties'], {
    env: { ...env, PENALTIES_MANAGEMENT_PORT: '0', IMWATCH_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let firstMs: number | undefined;
  let atFirst = 0;
  for (let now = 0; now < count; now = await settled()) {
    if (now > 0 && firstMs === undefined) [firstMs, atFirst] = [performance.now(), now];
    await pause(20);
  }
  const lastMs = performance.now();
  child.kill('SIGKILL');
  await cluster.close();
  return (count - atFirst) / ((lastMs - (firstMs ?? lastMs)) / 1_000);
}

const raws: number[] = [await raw()];
const transacted = await transactions();
for (let round = 1; round < rounds; round += 1) raws.push(await raw());
const rawPerSecond = raws.toSorted((one, other) => one - other)[raws.length >> 1] ?? 0;
tell({ rawPerSecond, transactedPerSecond: transacted, share: transacted / rawPerSecond });
process.exit(0);
