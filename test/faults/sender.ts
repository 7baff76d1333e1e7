// A sender of callbacks with known ids, as a process of its own that is told over IPC what to do.
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, type Dispatcher, Pool } from 'undici';
import { queryString, verdictCommand } from '../support/callbacks.ts';
import { largeVerdict, pushBatch, pushCommand, signedQuery, verdict } from './bodies.ts';
import { warmUpMs } from './length.ts';
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
const batchItems = 1_000;
const progressMs = 500;

/** Where callbacks of a key go. */
interface Target {
  readonly quiet: Pool;
  readonly busy: readonly Client[];
}

const limits = { headersTimeout: 20_000, bodyTimeout: 20_000 };
let targets: readonly Target[] = [];
let bursts = 0;
let isEnough = false;
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

function nextOf(key: string): number {
  const sequence = sequences.get(key) ?? 0;
  sequences.set(key, sequence + 1);
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
    // With these two undici sends a request while others on its connection have no answer yet.
    const answer = await to.request({ method: 'POST', path, body, idempotent: true, blocking: false });
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

/** Large bodies and large batches at once, each with a key and a connection of its own. */
function burst(count: number): void {
  const { quiet } = targetOf(0);
  for (let done = 0; done < count; done += 1) {
    bursts += 1;
    const [large, push] = [`large-${bursts}`, `push-${bursts}`];
    sent.push(post(quiet, largeVerdict(large, 0), verdictCommand, large, 0));
    sent.push(post(quiet, pushBatch(push, batchItems), pushCommand, push, 0, batchItems));
  }
}

/**
 * Sends at a rate, whether or not answers come, as long as `goesOn` says; `from` and what comes behind it are the numbers of the
 * callbacks. Resolves to the next number.
 */
async function sendAt(perSecond: number, from: number, goesOn: (tookMs: number) => boolean): Promise<number> {
  const began = performance.now();
  let done = 0;
  for (let tookMs = 0; goesOn(tookMs); tookMs = performance.now() - began) {
    const due = Math.floor((tookMs / 1000) * perSecond);
    if (done < due) counts.lagMs = Math.max(counts.lagMs, tookMs - (done * 1000) / perSecond);
    for (; done < due; done += 1) sent.push(sendOne(from + done));
    await pause(1);
  }
  return from + done;
}

async function run({ urls, perSecond, file }: Extract<SenderOrder, { type: 'run' }>): Promise<void> {
  aim(urls);
  const progress = setInterval(() => say({ type: 'progress', ...counts }), progressMs);
  // Programs that have just begun are slow, which is not what is looked at.
  const next = await sendAt(perSecond / 4, 0, (tookMs) => tookMs < warmUpMs);
  say({ type: 'warm', ...counts });
  await sendAt(perSecond, next, () => !isEnough);
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
  else if (order.type === 'burst') burst(order.count);
  else isEnough = true;
});
process.once('disconnect', () => process.exit(1));
