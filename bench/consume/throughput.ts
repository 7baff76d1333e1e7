// A topic of verdicts taken by penalties, every verdict the strike of another user, and by analytics, which counts them: outputs, state, ids
// and offsets in transactions; beside a reader of kafkajs that does nothing with its batches. Each from the begin of the topic.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { serviceNodeFlags } from '../../lib/node-flags.ts';
import { topicName } from '../../schemas/topics.ts';
import { openPlace, quantile, tell, writeVerdicts } from './place.ts';

const users = 400_000;
/** Of penalties only so many are waited for. */
const mostPenalised = 500_000;
const place = await openPlace();
const { kafka, values, env } = place;
const count = Number(env['BENCH_RECORDS'] ?? 2_000_000);
await writeVerdicts(place, count, users);
const topic = topicName(values.topicPrefix, 'verdict');

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

/** Verdicts a second of a process of a service, by the offsets that it has committed: from the first until `most` are. */
async function transactions(service: 'penalties' | 'analytics', most: number): Promise<number> {
  const groupId = `${values.topicPrefix}.${service}`;
  const admin = kafka.admin();
  await admin.connect();
  const settled = async (): Promise<number> => {
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
    return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  };
  const cli = join(import.meta.dirname, '../../cli/start.js');
  const child = spawn(process.execPath, [...serviceNodeFlags, cli, service], {
    env: { ...env, PENALTIES_MANAGEMENT_PORT: '0', ANALYTICS_MANAGEMENT_PORT: '0', IMWATCH_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let firstMs: number | undefined;
  let atFirst = 0;
  let now = 0;
  for (; now < most; now = await settled()) {
    if (now > 0 && firstMs === undefined) [firstMs, atFirst] = [performance.now(), now];
    await pause(20);
  }
  const lastMs = performance.now();
  child.kill('SIGKILL');
  await admin.disconnect();
  return (now - atFirst) / ((lastMs - (firstMs ?? lastMs)) / 1_000);
}

const raws: number[] = [await raw()];
const penaltiesPerSecond = await transactions('penalties', Math.min(count, mostPenalised));
raws.push(await raw());
const analyticsPerSecond = await transactions('analytics', count);
raws.push(await raw());
const rawPerSecond = quantile(raws, 0.5);
tell({
  rawPerSecond,
  penaltiesPerSecond,
  analyticsPerSecond,
  penaltiesShare: penaltiesPerSecond / rawPerSecond,
  analyticsShare: analyticsPerSecond / rawPerSecond,
});
process.exit(0);
