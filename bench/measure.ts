import { hrtime } from 'node:process';

/** One thing whose cost is measured. */
export interface Measured {
  readonly name: string;
  /** Does it once; what it returns is kept from being optimised away. */
  readonly run: () => unknown;
}

/** Cost of one run in microseconds over the rounds: the least disturbed round, the middle one, the worst. */
export interface Cost {
  readonly name: string;
  readonly minUs: number;
  readonly medianUs: number;
  readonly maxUs: number;
}

const warmUpRuns = 30_000;
const runsInRound = 10_000;
/** Where results go, so that nothing is optimised away. */
const sink: { last: unknown } = { last: undefined };

/**
 * Measures all of `things` in alternating rounds, so that what else the machine does meets each of them alike; compare them
 * with each other, not with another run.
 */
export function measure(things: readonly Measured[], rounds: number): readonly Cost[] {
  for (const { run } of things) for (let count = 0; count < warmUpRuns; count += 1) sink.last = run();
  const samples = new Map(things.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run } of things) {
      const startedNs = hrtime.bigint();
      for (let count = 0; count < runsInRound; count += 1) sink.last = run();
      samples.get(name)?.push(Number(hrtime.bigint() - startedNs) / runsInRound / 1_000);
    }
  }
  return Array.from(samples, ([name, costs]) => {
    const sorted = costs.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return { name, minUs: at(0), medianUs: at(0.5), maxUs: at(1) };
  });
}
