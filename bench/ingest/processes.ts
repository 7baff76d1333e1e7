import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What Linux counts processor time in, on every platform that Node runs on. */
const ticksPerSecond = 100;

/** Processor time that process `pid` and all below it have used so far, in seconds; 0 when it has ended. Linux only. */
export function cpuSecondsOf(pid: number): number {
  return sumOverTree(pid, (id) => ticksIn(`/proc/${id}/stat`)) / ticksPerSecond;
}

/** Processor time of the threads of process `pid` by the name of the thread, in seconds; its first one is `main`. Linux only. */
export function threadCpuSecondsOf(pid: number): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const thread of namesIn(`/proc/${pid}/task`)) {
    const folder = `/proc/${pid}/task/${thread}`;
    const name = thread === String(pid) ? 'main' : (readIfAny(`${folder}/comm`)?.trim() ?? '');
    seconds.set(name, (seconds.get(name) ?? 0) + ticksIn(`${folder}/stat`) / ticksPerSecond);
  }
  return seconds;
}

/** Resident memory of process `pid` and all below it, in MiB; `VmHWM` is the most that there has been. Linux only. */
export function residentMibOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const kibibytes = sumOverTree(pid, (id) => {
    const text = readIfAny(`/proc/${id}/status`) ?? '';
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1] ?? 0);
  });
  return kibibytes / 1024;
}

/** The process that listens on `port` of this machine, when it runs under our eyes. Linux only. */
export function listenerOn(port: number): number | undefined {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    (readIfAny(table) ?? '').split('\n').flatMap((line) => {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      return state === '0A' && local.endsWith(wanted) && inode !== undefined ? [`socket:[${inode}]`] : [];
    }),
  );
  if (inodes.length === 0) return undefined;
  const pids = namesIn('/proc').filter((name) => /^\d+$/.test(name));
  const found = pids.find((pid) => openFilesOf(pid).some((socket) => inodes.includes(socket)));
  return found === undefined ? undefined : Number(found);
}

/** Processor time that the whole machine has spent on work so far, in seconds. Linux only. */
export function machineBusySeconds(): number {
  const [, user, nice, system, , , irq, softirq, steal] = (readIfAny('/proc/stat') ?? '').split(/\s+/).map(Number);
  return (
    [user, nice, system, irq, softirq, steal].reduce<number>((sum, ticks) => sum + (ticks ?? 0), 0) / ticksPerSecond
  );
}

function sumOverTree(pid: number, figureOf: (pid: number) => number): number {
  const below = (readIfAny(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter((child) => child !== '');
  return below.reduce((sum, child) => sum + sumOverTree(Number(child), figureOf), figureOf(pid));
}

function ticksIn(path: string): number {
  const fields = readIfAny(path)?.split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** What the open files of a process are; nothing of a process that is not ours or has ended. */
function openFilesOf(pid: string): readonly string[] {
  try {
    return namesIn(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
