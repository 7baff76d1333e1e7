// How long verdicts wait while instances of penalties come, go and are killed: a steady sender, and a reader of the ledger.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { clusterOptions } from '../../lib/kafka/client.ts';
import { readTopics } from '../../lib/kafka/topic-reader.ts';
import { silentLogger } from '../../lib/logger.ts';
import { decodeAs, schemaIdOf } from '../../schemas/codec.ts';
import type { LedgerEntry } from '../../schemas/generated/events.ts';
import { topicName } from '../../schemas/topics.ts';
import { aVerdict, openPlace, tell } from './place.ts';

const perSecond = 200;
const users = 100_000;
const { values, env, registry, sink, writer } = await openPlace();
const cli = join(import.meta.dirname, '../../cli/start.js');
const children: ChildProcess[] = [];

function start(): void {
  children.push(
    spawn(process.execPath, [cli, 'penalties'], {
      env: { ...env, PENALTIES_MANAGEMENT_PORT: '0', IMWATCH_LOG_LEVEL: 'error' },
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  );
}

async function end(signal: NodeJS.Signals): Promise<void> {
  const child = children.pop();
  if (child === undefined) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

let longestMs = 0;
let strikes = 0;
const stop = new AbortController();
const reading = readTopics({
  cluster: clusterOptions(values, 'imwatch-bench'),
  logger: silentLogger,
  topics: [topicName(values.topicPrefix, 'penalty.ledger')],
  start: 'beginning',
  follow: true,
  signal: stop.signal,
  onCaughtUp: () => undefined,
  onRecord: async ({ value }) => {
    if (value === null) return;
    const entry = decodeAs(await registry.writerType(schemaIdOf(value) ?? 0), value) as LedgerEntry;
    if (entry.kind !== 'STRIKE') return;
    strikes += 1;
    longestMs = Math.max(longestMs, Date.now() - entry.at);
  },
});

let sent = 0;
const sending = setInterval(() => {
  const records = Array.from({ length: perSecond / 10 }, () => {
    const value = aVerdict(sent++, users);
    return writer.recordOf({
      topic: 'verdict',
      key: `${value.sdkAppId}/${value.fromAccount}`,
      value,
      timestampMs: value.receivedAt,
    });
  });
  void sink.send(records);
}, 100);

/** The longest wait of a verdict from now until all are through. */
async function during(what: () => Promise<void>): Promise<number> {
  longestMs = 0;
  await what();
  await pause(15_000);
  while (strikes < sent - perSecond) await pause(100);
  return longestMs / 1_000;
}

start();
while (strikes < perSecond) await pause(100);
const steadyS = await during(async () => undefined);
const upS = await during(async () => {
  for (let number = 0; number < 3; number += 1) {
    start();
    await pause(6_000);
  }
});
const downS = await during(async () => {
  for (let number = 0; number < 3; number += 1) {
    await end('SIGTERM');
    await pause(3_000);
  }
});
start();
await pause(8_000);
const killedS = await during(() => end('SIGKILL'));
clearInterval(sending);
await pause(2_000);
const gaps = sent - strikes;
stop.abort();
await reading;
await end('SIGTERM');
tell({ steadyS, upS, downS, killedS, sent, strikes, gaps });
process.exit(0);
