import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { numbersInLoop, target } from '../request.ts';
import type { LoadResult } from './result.ts';
import type { Order } from './sender.ts';

/** Requests by the sender beside this file, as a process of its own; it stops cleanly, so every request has an answer. */
export async function ownLoop(
  url: string,
  load: Order['load'],
  seconds: number,
  loop: number,
  untimedMs = 2_000,
): Promise<LoadResult> {
  const { hostname: host, port } = new URL(url);
  const firstNumber = loop * numbersInLoop;
  const order: Order = { host, port: Number(port), path: target(), seconds, firstNumber, load, untimedMs };
  const args = [join(import.meta.dirname, 'sender.ts'), JSON.stringify(order)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as LoadResult;
}
