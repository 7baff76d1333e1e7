import type { Profile } from './run.ts';

/** The profile for people: microseconds of processor time a request, and which share of the whole that is. */
export function profileTable(
  { title, requests, perSecond, stages, otherThreads, totalUs }: Profile,
  top: boolean,
): string {
  const row = (name: string, us: number): string =>
    `  ${name.padEnd(26)}${us.toFixed(1).padStart(8)}${`${((100 * us) / totalUs).toFixed(1)} %`.padStart(10)}`;
  return [
    `${title}: ${requests} requests, ${perSecond.toFixed(0)} a second while the profiler ran`,
    `  ${'µs of CPU a request'.padEnd(26)}${'µs'.padStart(8)}${'share'.padStart(10)}`,
    ...stages.flatMap((stage) => [
      row(stage.stage, stage.us),
      ...(top ? stage.top.map(({ where, us }) => `${us.toFixed(1).padStart(12)}  ${where}`) : []),
    ]),
    ...otherThreads.map(({ name, us }) => row(`thread ${name}`, us)),
    row('all', totalUs),
  ].join('\n');
}
