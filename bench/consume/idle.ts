// Processor time of the four services while nothing happens.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../dev/ports.ts';
import { serviceNodeFlags } from '../../lib/node-flags.ts';
import { openPlace, tell } from './place.ts';

const seconds = 20;
const serviceNames = ['ingest', 'analytics', 'penalties', 'alerting'];
/** Ticks of /proc/<pid>/stat in a second. */
const ticksPerSecond = 100;
const { env } = await openPlace();
const cli = join(import.meta.dirname, '../../cli/start.js');
const children = await Promise.all(
  serviceNames.map(async (name) => {
    const port = String(await freePort(undefined));
    const child = spawn(process.execPath, [...serviceNodeFlags, cli, name], {
      env: {
        ...env,
        IMWATCH_SDK_APP_ID: '1400187352',
        IMWATCH_LOG_LEVEL: 'error',
        INGEST_PORT: '0',
        [`${name.toUpperCase()}_MANAGEMENT_PORT`]: port,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    while (!(await isReady(`http://127.0.0.1:${port}/ready`))) await pause(200);
    return { name, pid: child.pid ?? 0, child };
  }),
);

async function isReady(url: string): Promise<boolean> {
  try {
    return ((await (await fetch(url)).json()) as { readonly status: string }).status === 'ready';
  } catch {
    return false;
  }
}

/** Seconds of processor time of a process so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

await pause(10_000);
const before = children.map(({ pid }) => cpuSeconds(pid));
await pause(seconds * 1_000);
const shares = children.map(({ pid }, index) => (100 * (cpuSeconds(pid) - (before[index] ?? 0))) / seconds);
for (const { child } of children) child.kill('SIGTERM');
tell({
  allPercent: shares.reduce((sum, share) => sum + share, 0),
  ...Object.fromEntries(children.map(({ name }, index) => [`${name}Percent`, shares[index] ?? 0])),
});
process.exit(0);
