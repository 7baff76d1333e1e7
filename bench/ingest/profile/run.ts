import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hrtime } from 'node:process';
import type { Candidate, Surroundings } from '../candidate.ts';
import type { LoadResult } from '../load/result.ts';
import { say } from '../say.ts';
import { Server } from '../server.ts';
import { type CpuProfile, type Frame, seenIn } from './cpu-profile.ts';
import { type Stage, stageOf, stages } from './stages.ts';

/** Where the processor time of one server goes. */
export interface Profile {
  readonly title: string;
  readonly requests: number;
  readonly perSecond: number;
  readonly stages: readonly StageCost[];
  /** The process's other threads, the profiler's own left out, in microseconds a request. */
  readonly otherThreads: readonly { readonly name: string; readonly us: number }[];
  readonly totalUs: number;
}

export interface StageCost {
  readonly stage: Stage;
  /** Processor time of the main thread for one request, in microseconds. */
  readonly us: number;
  /** Functions that took most of it, innermost frames, with their microseconds a request. */
  readonly top: readonly { readonly where: string; readonly us: number }[];
}

const topFunctions = 5;
const samplingUs = 500;
/** Threads that are there only because of the profiler. */
const profilerThreads = ['v8:ProfEvntProc', 'SignalInspector'];

export type Loop = (url: string, loop: number) => Promise<LoadResult>;

/** Runs `candidate`, a server on Node, under V8's profiler: one loop that warms it up, one that counts. */
export async function profile(candidate: Candidate, surroundings: Surroundings, loop: Loop): Promise<Profile> {
  const folder = mkdtempSync(join(tmpdir(), 'imwatch-bench-profile-'));
  try {
    const nodeOptions = ['--cpu-prof', `--cpu-prof-interval=${samplingUs}`, `--cpu-prof-dir=${folder}`];
    const launch = await candidate.launch({ ...surroundings, nodeOptions });
    if ('missing' in launch) throw new Error(`${candidate.title} cannot run here: ${launch.missing}`);
    const server = await Server.start(candidate.title, launch, join(folder, 'server.log'));
    try {
      say(`warming up: ${candidate.title}`);
      await loop(server.url, 0);
      say(`profiling: ${candidate.title}`);
      const [before, fromUs] = [server.threadCpuSeconds, monotonicUs()];
      const { acknowledged: requests, perSecond } = await loop(server.url, 1);
      const [after, untilUs] = [server.threadCpuSeconds, monotonicUs()];
      await server.stop();
      const profiles = readdirSync(folder)
        .filter((file) => file.endsWith('.cpuprofile'))
        .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile);
      const threads = Array.from(after, ([name, seconds]) => {
        return { name, us: (1_000_000 * (seconds - (before.get(name) ?? 0))) / requests };
      }).filter(({ name }) => !profilerThreads.includes(name));
      const mainUs = threads.find(({ name }) => name === 'main')?.us ?? 0;
      return {
        title: candidate.title,
        requests,
        perSecond,
        stages: costs(profiles, { fromUs, untilUs, requests }, mainUs),
        otherThreads: threads.filter(({ name, us }) => name !== 'main' && us > 0),
        totalUs: threads.reduce((sum, { us }) => sum + us, 0),
      };
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Microseconds a request by stage; what the main thread has used beyond its samples goes to polling and reading, for V8 takes a
 * process that reads its sockets for an idle one.
 */
function costs(
  profiles: readonly CpuProfile[],
  { fromUs, untilUs, requests }: { fromUs: number; untilUs: number; requests: number },
  mainThreadUs: number,
): StageCost[] {
  const found = new Map<Stage, Map<string, number>>(stages.map((stage) => [stage, new Map()]));
  const add = (stage: Stage, where: string, us: number): void => {
    const functions = found.get(stage);
    functions?.set(where, (functions.get(where) ?? 0) + us);
  };
  let sampledUs = 0;
  for (const each of profiles) {
    const { stacks, sampleUs } = seenIn(each, fromUs, untilUs);
    for (const [stack, count] of stacks) {
      const stage = stageOf(stack);
      if (stage === undefined) continue;
      const us = (count * sampleUs) / requests;
      sampledUs += us;
      add(stage, nameOf(stack[0]), us);
    }
  }
  add('polling and reading', '(system calls, HTTP parser)', Math.max(0, mainThreadUs - sampledUs));
  return Array.from(found, ([stage, functions]) => ({
    stage,
    us: [...functions.values()].reduce((sum, us) => sum + us, 0),
    top: Array.from(functions, ([where, us]) => ({ where, us }))
      .toSorted((a, b) => b.us - a.us)
      .slice(0, topFunctions),
  }));
}

function nameOf(frame: Frame | undefined): string {
  const { functionName = '', url = '' } = frame ?? {};
  const file = url.replace(/^.*\/node_modules\//, '').replace(/^file:\/\/.*\/(?=(ingest|lib|schemas|cli|bench)\/)/, '');
  return `${functionName === '' ? '(anonymous)' : functionName}${file === '' ? '' : ` ${file}`}`;
}

function monotonicUs(): number {
  return Number(hrtime.bigint() / 1_000n);
}
