import type { Outcome, Round } from './contest.ts';
import { ratios, type Spread, spreadOf } from './figures.ts';

/** The result of one run. */
export interface Report {
  readonly about: About;
  readonly outcomes: readonly Outcome[];
}

/** Where and how a run took place. */
export interface About {
  /** Day of the run. */
  readonly on: string;
  readonly node: string;
  readonly cores: number;
  readonly processor: string;
  readonly rounds: number;
  readonly seconds: number;
  /** Requests a second of the first open loop. */
  readonly fixedRate: number;
  readonly closedLoopBy: string;
  /** What was not measured and why, a line each. */
  readonly missing: readonly string[];
}

/** Processor seconds of the server for 100,000 requests answered 200, round by round. */
export function cpuPer100k(rounds: readonly Round[]): readonly number[] {
  return rounds.map(({ cpuSeconds, acknowledged }) => (100_000 * cpuSeconds) / acknowledged);
}

/** The same of the broker; of nothing where its process is not known. */
export function brokerCpuPer100k(rounds: readonly Round[]): readonly number[] {
  return rounds.flatMap(({ brokerCpuSeconds, acknowledged }) =>
    brokerCpuSeconds === undefined ? [] : [(100_000 * brokerCpuSeconds) / acknowledged],
  );
}

/** Requests answered 200 in a second of the server's processor time, round by round. */
export function perCpuSecond(rounds: readonly Round[]): readonly number[] {
  return rounds.map(({ cpuSeconds, acknowledged }) => acknowledged / cpuSeconds);
}

/** The same in percent of what the limit does in the same round. */
export function percentOf(limit: Outcome | undefined, { closed }: Outcome): readonly number[] {
  return limit === undefined
    ? []
    : ratios(perCpuSecond(closed), perCpuSecond(limit.closed)).map((ratio) => 100 * ratio);
}

/** Cores that the sender took, round by round. */
export function senderCores(rounds: readonly Round[]): readonly number[] {
  return rounds.map(({ senderCpuSeconds, acknowledged, perSecond }) => (senderCpuSeconds * perSecond) / acknowledged);
}

export function figures(
  rounds: readonly Round[],
  field: 'perSecond' | 'p50Ms' | 'p99Ms' | 'p999Ms',
): readonly number[] {
  return rounds.map((round) => round[field]);
}

/** `12.3 (11.0–14.2)`: the median, the least and the most; a dash for nothing. */
export function shown(values: readonly number[], digits: number, unit = ''): string {
  if (values.length === 0) return '–';
  const { median, min, max }: Spread = spreadOf(values);
  return `${median.toFixed(digits)}${unit} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** How a run was made, a sentence. */
export function setting({ on, processor, cores, node, rounds, seconds, closedLoopBy }: About): string {
  return `${on}, ${processor}, ${cores} cores, Node ${node}, ${rounds} rounds of ${seconds} s, closed loop by ${closedLoopBy}, 64 connections.`;
}

/** What disturbed the run. */
export function disturbance(outcomes: readonly Outcome[]): string {
  const rounds = outcomes.flatMap(({ closed, atFixedRate, atHalf }) => [...closed, ...atFixedRate, ...atHalf]);
  const failed = rounds.reduce((sum, round) => sum + round.failed, 0);
  const cores = rounds.map(({ otherCores }) => otherCores);
  return `Not answered 200: ${failed}. Other processes of the machine took ${shown(cores, 2)} cores meanwhile.`;
}
