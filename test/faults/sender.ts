// A sender of callbacks with known ids, as a process of its own that is told over IPC what to do.
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, type Dispatcher, Pool } from 'undici';
import { queryString, verdictCommand } from '../support/callbacks.ts';
import { largeVerdict, pushBatch, pushCommand, signedQuery, verdict } from './bodies.ts';
import type { SenderMessage, SenderOrder, SentLine } from './sending.ts';

/** As many as wait for an answer while Kafka is given its 1.2 s, at the highest rate. */
const connections = 1_000;
/** Keys that have one event at a time on its way. */
const quietKeys = 4_000;
/** Keys with a connection of their own, on which many requests are on their way, in order. */
const busyKeys = 20;
const pipelined = 256;
/** Every so many callbacks one has a busy key. */
const busyEvery = 4;
const progressMs = 500;

/** Where callbacks of a key go. */
interface Target {
  readonly quiet: Pool;
  readonly busy: readonly Client[];
}

const limits = { headersTimeout: 20_000, bodyTimeout: 20_000 };
let targets: readonly Target[] = [];
const isEnding = false;
const sequences = new Map<string, number>();
const idle = Array.from({ length: quietKeys }, (_, index) => index);
const lines: SentLine[] = [];
const sent: Promise<void>[] = [];
const counts = { sent: 0, acknowledged: 0, refused: 0, unanswered: 0, longestMs: 0, lagMs: 0 };

function aim(urls: readonly string[]): void {
  targets = urls.map((url) => ({
    quiet: new Pool(url, { connections, ...limits }),
    busy: Array.from({ length: busyKeys }, () => new Client(url, { pipelining: pipelined, ...limits })),
  }));
}

function nextOf(key: string, count = 1): number {
  const sequence = sequences.get(key) ?? 0;
  sequences.set(key, sequence + count);
  return sequence;
}

function targetOf(index: number): Target {
  const target = targets[index % targets.length];
  if (target === undefined) throw new Error('No address to send to');
  return target;
}

/** Posts a body whose events are `count` of `key`, from `sequence` on. */
async function post(
  to: Dispatcher,
  body: string,
  command: string,
  key: string,
  sequence: number,
  count = 1,
): Promise<void> {
  const sentAtMs = Date.now();
  const began = performance.now();
  counts.sent += 1;
  let status = 0;
  try {
    const path = `/?${queryString(command, signedQuery(sentAtMs))}`;
    // Idempotent is what undici calls a request that may stand in line behind others on its connection.
    const answer = await to.request({ method: 'POST', path, body, idempotent: true });
    await answer.body.dump();
    status = answer.statusCode;
  } catch {
    // No answer: what became of it is for the topic to say.
  }
  const tookMs = performance.now() - began;
  if (status === 0) counts.unanswered += 1;
  else {
    counts.longestMs = Math.max(counts.longestMs, tookMs);
    if (status === 200) counts.acknowledged += 1;
    else counts.refused += 1;
  }
  for (let item = 0; item < count; item += 1) lines.push([key, sequence + item, status, Math.round(tookMs), sentAtMs]);
}

async function sendOne(number: number): Promise<void> {
  const index = number % busyEvery === 0 ? undefined : idle.shift();
  if (index === undefined) {
    const busy = ((number / busyEvery) % busyKeys) | 0;
    const key = `busy-${busy}`;
    const sequence = nextOf(key);
    const client = targetOf(busy).busy[busy];
    if (client === undefined) throw new Error(`No connection for ${key}`);
    return post(client, verdict(key, sequence), verdictCommand, key, sequence);
  }
  const key = `quiet-${index}`;
  const sequence = nextOf(key);
  await post(targetOf(index).quiet, verdict(key, sequence), verdictCommand, key, sequence);
  idle.push(index);
}

/** Connections of bursts, by kind. */
const bursting = new Map<string, Client>();

/** Large bodies and large batches, all of a kind for one partition, at once and in order. */
function burst(url: string, count: number): void {
  for (const [kind, items] of [
    ['large', 1],
    ['push', 1_000],
  ] as const) {
    const client = bursting.get(kind) ?? new Client(url, { pipelining: pipelined, ...limits });
    bursting.set(kind, client);
    for (let done = 0; done < count; done += 1) {
      const sequence = nextOf(kind, items);
      const body = kind === 'large' ? largeVerdict(kind, sequence) : pushBatch(kind, sequence, items);
      sent.push(post(client, body, kind === 'large' ? verdictCommand : pushCommand, kind, sequence, items));
    }
  }
}

/** At the rate, whether or not answers come. */
async function run({ urls, perSecond, seconds, file }: Extract<SenderOrder, { type: 'run' }>): Promise<void> {
  aim(urls);
  const progress = setInterval(() => say({ type: 'progress', ...counts }), progressMs);
  const began = performance.now();
  const total = perSecond * seconds;
  let number = 0;
  while (number < total && !isEnding) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * perSecond));
    if (number < due) counts.lagMs = Math.max(counts.lagMs, performance.now() - began - (number * 1000) / perSecond);
    for (; number < due; number += 1) sent.push(sendOne(number));
    await pause(1);
  }
  await Promise.all(sent);
  clearInterval(progress);
  const stream = createWriteStream(file);
  for (const line of lines) stream.write(`${JSON.stringify(line)}\n`);
  stream.end();
  await finished(stream);
  say({ type: 'end', ...counts });
  process.exit(0);
}

function say(message: SenderMessage): void {
  process.send?.(message);
}

process.on('message', (order: SenderOrder) => {
  if (order.type === 'run') void run(order);
  else if (order.type === 'aim') aim(order.urls);
  else burst(order.url, order.count);
});
process.once('disconnect', () => process.exit(1));
