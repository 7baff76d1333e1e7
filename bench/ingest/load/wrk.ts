import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bodyParts, numbersInLoop, senders, target } from '../request.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import type { LoadResult } from './result.ts';

/** Connections of the closed loop, each with one request at a time. */
export const connections = 64;

/** What the script below prints at the end; times in microseconds. */
interface Summary {
  readonly requests: number;
  readonly durationUs: number;
  readonly refused: number;
  readonly broken: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

/**
 * As many requests as the server takes over 64 connections, by wrk. What is on its way at the end is cut off: up to 64 requests may
 * be done by the server and are not counted.
 */
export async function closedLoopByWrk(url: string, seconds: number, loop: number): Promise<LoadResult> {
  using resources = new DisposableStack();
  const script = join(temporaryFolder(resources), 'post.lua');
  writeFileSync(script, scriptOf(loop * numbersInLoop));
  const before = childrenCpuSeconds();
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url];
  const { stdout } = await promisify(execFile)('wrk', args);
  return { ...resultOf(stdout), senderCpuSeconds: childrenCpuSeconds() - before };
}

/** What wrk has printed. */
export function resultOf(printed: string): Omit<LoadResult, 'senderCpuSeconds'> {
  const line = printed.split('\n').find((each) => each.startsWith('{'));
  if (line === undefined) throw new Error(`wrk printed no summary, expected a line of JSON: ${printed}`);
  const summary = JSON.parse(line) as Summary;
  const acknowledged = summary.requests - summary.refused;
  return {
    acknowledged,
    failed: summary.refused + summary.broken,
    perSecond: acknowledged / (summary.durationUs / 1_000_000),
    p50Ms: summary.p50Us / 1_000,
    p99Ms: summary.p99Us / 1_000,
    p999Ms: summary.p999Us / 1_000,
  };
}

function scriptOf(firstNumber: number): string {
  const [before, between, after] = bodyParts;
  return `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local count = 0
request = function()
  count = count + 1
  local number = ${firstNumber} + count
  local body = ${quoted(before)} .. string.format("%04d", number % ${senders}) .. ${quoted(between)} .. string.format("%012d", number) .. ${quoted(after)}
  return wrk.format(nil, ${quoted(target())}, nil, body)
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"durationUs":%d,"refused":%d,"broken":%d,"p50Us":%d,"p99Us":%d,"p999Us":%d}\\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
`;
}

function quoted(text: string): string {
  return `[==[${text}]==]`;
}

const ticksPerSecond = 100;

/** Processor time of all processes that this one has started and that have ended. Linux only. */
function childrenCpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / ticksPerSecond;
}

/** Whether wrk is installed. */
export function hasWrk(): boolean {
  // It has no option that only tells its version and ends well.
  return spawnSync('wrk', ['--version']).error === undefined;
}
