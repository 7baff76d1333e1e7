/** What `node --cpu-prof` writes. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Monotonic microseconds. */
  readonly startTime: number;
  /** Id of the node that was running, sample by sample. */
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: Frame;
  readonly children?: readonly number[];
}

export interface Frame {
  readonly functionName: string;
  /** `file://…`, `node:…`, or empty for what is no JavaScript. */
  readonly url: string;
}

/** Innermost frame first. */
export type Stack = readonly Frame[];

/** What was seen between two moments. */
export interface Seen {
  /** How often each stack was met. */
  readonly stacks: ReadonlyMap<Stack, number>;
  /** Microseconds that one sample stands for: the usual distance, as a process that has to wait for a core gets no samples. */
  readonly sampleUs: number;
}

/** The samples from `fromUs` to `untilUs` (monotonic microseconds). */
export function seenIn({ nodes, startTime, samples, timeDeltas }: CpuProfile, fromUs: number, untilUs: number): Seen {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const counts = new Map<number, number>();
  const distancesUs: number[] = [];
  let atUs = startTime;
  for (const [index, id] of samples.entries()) {
    const distanceUs = timeDeltas[index] ?? 0;
    atUs += distanceUs;
    if (atUs < fromUs || atUs > untilUs) continue;
    distancesUs.push(distanceUs);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const stackOf = (id: number | undefined): Frame[] => {
    const node = id === undefined ? undefined : byId.get(id);
    return node === undefined ? [] : [node.callFrame, ...stackOf(parents.get(node.id))];
  };
  const sampleUs = distancesUs.toSorted((a, b) => a - b)[distancesUs.length >> 1] ?? 0;
  return { stacks: new Map(Array.from(counts, ([id, count]) => [stackOf(id), count])), sampleUs };
}
