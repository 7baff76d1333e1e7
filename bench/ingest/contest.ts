import type { Admin } from 'kafkajs';
import type { Candidate } from './candidate.ts';
import { rotated, spreadOf } from './figures.ts';
import { ownLoop } from './load/own.ts';
import type { LoadResult } from './load/result.ts';
import { connections } from './load/wrk.ts';
import { cpuSecondsOf, machineBusySeconds } from './processes.ts';
import { say } from './say.ts';
import type { Server } from './server.ts';

/** One loop with what it has cost. */
export interface Round extends LoadResult {
  /** Processor time of the server. */
  readonly cpuSeconds: number;
  /** Processor time of the broker in that time; not known where it does not run as a process of this machine. */
  readonly brokerCpuSeconds: number | undefined;
  /** Cores that all other processes of the machine took meanwhile, the sender left out. */
  readonly otherCores: number;
}

/** Whether the records on a topic are those that were answered 200. */
export interface RecordCheck {
  readonly acknowledged: number;
  readonly records: number;
  /** Requests that were cut off on their way, and so may have been written beside those. */
  readonly cutOff: number;
  readonly isRight: boolean;
}

/** What was found of one candidate. */
export interface Outcome {
  readonly name: string;
  readonly title: string;
  readonly isOurs: boolean;
  readonly closed: readonly Round[];
  readonly atFixedRate: readonly Round[];
  readonly halfRate: number;
  readonly atHalf: readonly Round[];
  readonly residentMib: number;
  readonly mostResidentMib: number;
  readonly check: RecordCheck | undefined;
}

export interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly fixedRate: number;
  /** As many requests as a server takes. */
  readonly closedLoop: (url: string, loop: number) => Promise<LoadResult>;
  /** Whether the closed loop cuts requests off at its end. */
  readonly cutsOff: boolean;
  readonly admin: Admin;
  readonly brokerPid: number | undefined;
}

export interface Runner {
  readonly candidate: Candidate;
  readonly server: Server;
}

/** Code is compiled, connections are made, and memory grows before anything counts. */
const warmUpLoops = 2;

/** Measures `runners` in alternating rounds: as much as they take, at a fixed rate, and at half of what each of them takes. */
export async function contest(runners: readonly Runner[], plan: Plan): Promise<readonly Outcome[]> {
  const acknowledged = new Map<Runner, number>();
  let loop = 0;
  const measured = async (runner: Runner, run: (loop: number) => Promise<LoadResult>): Promise<Round> => {
    const before = usage(runner, plan);
    const result = await run(loop++);
    const after = usage(runner, plan);
    acknowledged.set(runner, (acknowledged.get(runner) ?? 0) + result.acknowledged);
    const cpuSeconds = after.server - before.server;
    const brokerSeconds = after.broker - before.broker;
    const busySeconds = after.machine - before.machine - cpuSeconds - brokerSeconds - result.senderCpuSeconds;
    return {
      ...result,
      cpuSeconds,
      brokerCpuSeconds: plan.brokerPid === undefined ? undefined : brokerSeconds,
      otherCores: Math.max(0, (1000 * busySeconds) / (after.atMs - before.atMs)),
    };
  };
  const phase = async (
    title: string,
    run: (runner: Runner, loop: number) => Promise<LoadResult>,
  ): Promise<Map<Runner, Round[]>> => {
    const found = new Map<Runner, Round[]>(runners.map((runner) => [runner, []]));
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const runner of rotated(runners, round - 1)) {
        say(`${title}, round ${round} of ${plan.rounds}: ${runner.candidate.title}`);
        found.get(runner)?.push(await measured(runner, (number) => run(runner, number)));
      }
    }
    return found;
  };

  const before = new Map<Runner, number>();
  for (const runner of runners) before.set(runner, await recordsOf(runner, plan.admin));
  for (const runner of runners) {
    say(`warming up: ${runner.candidate.title}`);
    for (let count = 0; count < warmUpLoops; count += 1) {
      await measured(runner, (number) => plan.closedLoop(runner.server.url, number));
    }
  }
  const closed = await phase('as much as it takes', ({ server }, number) => plan.closedLoop(server.url, number));
  const atFixedRate = await phase(`${plan.fixedRate} a second`, ({ server }, number) =>
    ownLoop(server.url, { perSecond: plan.fixedRate }, plan.seconds, number),
  );
  const halfRateOf = (runner: Runner): number =>
    Math.round(spreadOf((closed.get(runner) ?? []).map(({ perSecond }) => perSecond)).median / 2);
  const atHalf = await phase('half of what it takes', (runner, number) =>
    ownLoop(runner.server.url, { perSecond: halfRateOf(runner) }, plan.seconds, number),
  );

  const cutOff = plan.cutsOff ? connections * (plan.rounds + warmUpLoops) : 0;
  const outcomes: Outcome[] = [];
  for (const runner of runners) {
    const { candidate, server } = runner;
    const records = (await recordsOf(runner, plan.admin)) - (before.get(runner) ?? 0);
    outcomes.push({
      name: candidate.name,
      title: candidate.title,
      isOurs: candidate.isOurs === true,
      closed: closed.get(runner) ?? [],
      atFixedRate: atFixedRate.get(runner) ?? [],
      halfRate: halfRateOf(runner),
      atHalf: atHalf.get(runner) ?? [],
      residentMib: server.residentMib,
      mostResidentMib: server.mostResidentMib,
      check: candidate.topic === undefined ? undefined : checkOf(acknowledged.get(runner) ?? 0, records, cutOff),
    });
  }
  return outcomes;
}

/** Every request that was answered 200 has a record; beside them there may be those that were cut off. */
export function checkOf(acknowledged: number, records: number, cutOff: number): RecordCheck {
  return { acknowledged, records, cutOff, isRight: records >= acknowledged && records <= acknowledged + cutOff };
}

function usage(
  { server }: Runner,
  { brokerPid }: Plan,
): { server: number; broker: number; machine: number; atMs: number } {
  return {
    server: server.cpuSeconds,
    broker: brokerPid === undefined ? 0 : cpuSecondsOf(brokerPid),
    machine: machineBusySeconds(),
    atMs: performance.now(),
  };
}

/** Records on the topic of a candidate, where it has one already. */
async function recordsOf({ candidate: { topic } }: Runner, admin: Admin): Promise<number> {
  if (topic === undefined || !(await admin.listTopics()).includes(topic)) return 0;
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
}
