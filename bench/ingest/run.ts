import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Admin } from 'kafkajs';
import { systemClock } from '../../lib/clock.ts';
import type { Candidate, Surroundings } from './candidate.ts';
import { contest, type Runner } from './contest.ts';
import type { LoadResult } from './load/result.ts';
import { listenerOn } from './processes.ts';
import type { Report } from './report.ts';
import { say } from './say.ts';
import { Server } from './server.ts';

export interface RunPlan {
  readonly admin: Admin;
  readonly rounds: number;
  readonly seconds: number;
  readonly closedLoop: (url: string, loop: number) => Promise<LoadResult>;
  readonly withWrk: boolean;
}

const fixedRate = 1_000;

/** Starts all of `candidates` that can run here and compares them; they stop with the resources of `surroundings`. */
export async function run(
  candidates: readonly Candidate[],
  surroundings: Surroundings,
  { admin, rounds, seconds, closedLoop, withWrk }: RunPlan,
): Promise<Report> {
  const runners: Runner[] = [];
  const missing: string[] = [];
  for (const candidate of candidates) {
    const launch = await candidate.launch(surroundings);
    if ('missing' in launch) {
      const line = `Not measured: ${candidate.title}, ${launch.missing}`;
      say(line);
      missing.push(line);
      continue;
    }
    const server = await Server.start(candidate.title, launch, join(surroundings.logFolder, `${candidate.name}.log`));
    surroundings.resources.defer(() => server.stop());
    runners.push({ candidate, server });
  }
  const [broker = ''] = surroundings.cluster.KAFKA_BROKERS.split(',');
  const brokerPid = listenerOn(Number(broker.split(':').at(-1)));
  const [processor] = cpus();
  const about = {
    on: new Date(systemClock.nowMs()).toISOString().slice(0, 'yyyy-mm-dd'.length),
    node: process.versions.node,
    cores: cpus().length,
    processor: processor?.model.trim() ?? 'a processor without a name',
    rounds,
    seconds,
    fixedRate,
    closedLoopBy: withWrk ? 'wrk' : 'Node',
    missing,
  };
  const plan = { rounds, seconds, fixedRate, closedLoop, cutsOff: withWrk, admin, brokerPid };
  return { about, outcomes: await contest(runners, plan) };
}
