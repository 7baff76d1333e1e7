// Sends requests as a process of its own, so that its work is not that of the servers: `node sender.ts '<JSON of Order>'`.
import { Connection } from './connection.ts';
import { requestMaker } from './request-maker.ts';
import { type LoadResult, quantile } from './result.ts';
import { Schedule, tickMs } from './schedule.ts';

/** What is to be sent. */
export interface Order {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly seconds: number;
  readonly firstNumber: number;
  /** Open loop: so many a second. Else closed: over so many connections, each as quick as it is answered. */
  readonly load: { readonly perSecond: number } | { readonly connections: number };
  /** What is sent in the beginning of an open loop, before its `seconds`, is not timed: connections are made, and code is compiled. */
  readonly untimedMs: number;
}

/** Enough that no request waits for another one's answer; below what ingest takes. */
const mostConnections = 1_500;
/** How long after the last request answers are waited for. */
const graceMs = 5_000;

const order = JSON.parse(process.argv[2] ?? '') as Order;
const { host, port, seconds, untimedMs } = order;
const nextRequest = requestMaker(order);
const idle: Connection[] = [];
const all = new Set<Connection>();
const timesMs: number[] = [];
let timedFromMs = 0;
/** Since when each of the requests that are on their way counts. */
const waiting = new Map<Connection, number>();
/** Since when those count that no connection was free for. */
const unsent: number[] = [];
let acknowledged = 0;
let failed = 0;

const cpuBefore = process.cpuUsage();
const durationMs =
  'perSecond' in order.load ? await openLoop(order.load.perSecond) : await closedLoop(order.load.connections);
await answered();
// What is never answered has waited for at least as long as this.
for (const sinceMs of [...waiting.values(), ...unsent]) time(sinceMs);
failed += waiting.size + unsent.length;
for (const connection of all) connection.close();

const sorted = Float64Array.from(timesMs).sort();
const cpu = process.cpuUsage(cpuBefore);
const result: LoadResult = {
  acknowledged,
  failed,
  perSecond: (1000 * acknowledged) / durationMs,
  p50Ms: quantile(sorted, 0.5),
  p99Ms: quantile(sorted, 0.99),
  p999Ms: quantile(sorted, 0.999),
  senderCpuSeconds: (cpu.user + cpu.system) / 1_000_000,
};
process.stdout.write(`${JSON.stringify(result)}\n`);

async function openLoop(perSecond: number): Promise<number> {
  const beganMs = performance.now();
  timedFromMs = beganMs + untimedMs;
  const schedule = new Schedule(perSecond, seconds + untimedMs / 1000, beganMs);
  while (!schedule.isOver) {
    for (const dueMs of schedule.due(performance.now())) {
      const connection = idleOne() ?? opened();
      if (connection === undefined) unsent.push(dueMs);
      else send(connection, dueMs);
    }
    await pause(tickMs);
  }
  return 1000 * seconds + untimedMs;
}

async function closedLoop(connections: number): Promise<number> {
  const endMs = performance.now() + 1000 * seconds;
  const again = (connection: Connection | undefined): void => {
    const nowMs = performance.now();
    if (connection !== undefined && nowMs < endMs) send(connection, nowMs, again);
  };
  for (let count = 0; count < connections; count += 1) again(opened());
  await pause(1000 * seconds);
  return 1000 * seconds;
}

function idleOne(): Connection | undefined {
  for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
    if (connection.isOpen) return connection;
    all.delete(connection);
  }
  return undefined;
}

function opened(): Connection | undefined {
  if (all.size >= mostConnections) return undefined;
  const connection = new Connection(port, host);
  all.add(connection);
  return connection;
}

/** Sends a request that counts from `sinceMs`; `then` gets the connection, or a new one in place of one that has ended. */
function send(connection: Connection, sinceMs: number, then: (free: Connection | undefined) => void = free): void {
  waiting.set(connection, sinceMs);
  connection.send(nextRequest(), (status) => {
    waiting.delete(connection);
    time(sinceMs);
    if (status === 200) acknowledged += 1;
    else failed += 1;
    if (!connection.isOpen) all.delete(connection);
    then(connection.isOpen ? connection : opened());
  });
}

function time(sinceMs: number): void {
  if (sinceMs >= timedFromMs) timesMs.push(performance.now() - sinceMs);
}

function free(connection: Connection | undefined): void {
  if (connection === undefined) return;
  const dueMs = unsent.shift();
  if (dueMs === undefined) idle.push(connection);
  else send(connection, dueMs);
}

async function answered(): Promise<void> {
  const untilMs = performance.now() + graceMs;
  while (waiting.size + unsent.length > 0 && performance.now() < untilMs) await pause(tickMs);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
