import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Pool } from 'undici';
import { signOf } from '../../ingest/tencent/signature.ts';
import { systemClock } from '../../lib/clock.ts';

export const sdkAppId = 1400187352;
export const token = 'benchmark';

/** Path and query of a verdict, signed for now. */
function target(): string {
  const nowSec = Math.floor(systemClock.nowMs() / 1000);
  return `/?SdkAppid=${sdkAppId}&CallbackCommand=ContentCallback.ResultNotify&contenttype=json&Sign=${signOf(token, nowSec)}&RequestTime=${nowSec}`;
}

/** A verdict of one of 5,000 senders, every one with an id of its own, as the fullest documented version has it. */
function bodyOf(sender: number, id: string): string {
  return `{"Scene":"C2C","SdkAppId":${sdkAppId},"From_Account":"user-${sender}","ContactItem":{"ContactType":1,"To_Account":"Jonh"},"ContentType":"Text","TextContent":["aaabbbccc","1234567"],"MsgID":"${id}_4137340972_1661154487","CtxcbResult":1,"CtxcbRequestId":"241ed925-4c56-4357-95dd-1e6e7798f214","CtxcbKeywords":["aaabbbccc","1234567"],"CtxcbSuggestion":"Review","CtxcbLabel":"Sexy","CtxcbSubLabel":"InsinuationPorn","CtxcbSubLabelDesc":"影射XX","CtxcbLibName":"test","CloudCustomData":"aaabbbccc"}`;
}

const senders = 5_000;

export interface ClosedLoop {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

/** As many requests as the server takes over 64 connections for some seconds, by wrk. */
export async function closedLoop(url: string, seconds: number, run: number): Promise<ClosedLoop> {
  const script = join(mkdtempSync(join(tmpdir(), 'imwatch-bench-')), 'post.lua');
  const [before = '', between = '', after = ''] = bodyOf(0, '@').replace('user-0', 'user-#').split(/[#@]/);
  writeFileSync(
    script,
    `wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local count = 0
request = function()
  count = count + 1
  local body = ${quoted(before)} .. (count % ${senders}) .. ${quoted(between)} .. ${run} .. count .. ${quoted(after)}
  return wrk.format(nil, ${quoted(target())}, nil, body)
end
`,
  );
  const { stdout } = await promisify(execFile)('wrk', ['-t1', '-c64', `-d${seconds}s`, '--latency', '-s', script, url]);
  const number = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0);
  return {
    requests: number(/(\d+) requests in/),
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    failed: number(/Non-2xx or 3xx responses: (\d+)/),
  };
}

export interface OpenLoop {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly failed: number;
}

/** Requests at a fixed rate whether or not answers come; times count from when a request was due (no coordinated omission). */
export async function openLoop(url: string, perSecond: number, seconds: number, run: number): Promise<OpenLoop> {
  const pool = new Pool(url, { connections: 128 });
  const path = target();
  const headers = { 'content-type': 'application/json' };
  const timesMs: number[] = [];
  let failed = 0;
  const send = async (index: number, dueMs: number): Promise<void> => {
    const answer = await pool.request({
      method: 'POST',
      path,
      headers,
      body: bodyOf(index % senders, `${run}-${index}`),
    });
    await answer.body.dump();
    if (answer.statusCode !== 200) failed += 1;
    timesMs.push(performance.now() - dueMs);
  };
  const beganMs = performance.now();
  const sent: Promise<void>[] = [];
  const total = perSecond * seconds;
  while (sent.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - beganMs) / 1000) * perSecond));
    while (sent.length < due) sent.push(send(sent.length, beganMs + (sent.length * 1000) / perSecond));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(sent);
  await pool.close();
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999), failed };
}

function quoted(text: string): string {
  return `[==[${text}]==]`;
}

function milliseconds(found: RegExpExecArray | null): number {
  const factors: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 };
  return Number(found?.[1] ?? 0) * (factors[found?.[2] ?? ''] ?? 0);
}
