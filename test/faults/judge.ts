/** An event that was sent. */
export interface Sent {
  readonly key: string;
  /** Its place among those of the key. */
  readonly sequence: number;
  /** Of the answer; 0 when there was none. */
  readonly status: number;
  readonly tookMs: number;
  readonly sentAtMs: number;
}

/** An event on a topic. */
export interface Found {
  readonly eventId: string;
  readonly key: string;
  readonly sequence: number;
}

export interface Judgement {
  readonly sent: number;
  readonly acknowledged: number;
  /** Answered with something else than 200. */
  readonly refused: number;
  readonly unanswered: number;
  /** Acknowledged and not on the topic, the first of them by name. */
  readonly lost: number;
  readonly lostFirst: readonly string[];
  /** On the topic and never sent. */
  readonly unknown: number;
  /** Behind one of the same key that was sent later, once duplicates are removed. */
  readonly outOfOrder: number;
  readonly outOfOrderFirst: readonly string[];
  /** Records beyond the first of their eventId. */
  readonly duplicates: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

const named = 5;

/** What became of what was sent, given what stands on the topics in the order of each partition. */
export function judge(sent: readonly Sent[], found: readonly Found[]): Judgement {
  const first = firstOfEach(found);
  const present = new Set(first.map(nameOf));
  const known = new Set(sent.map(nameOf));
  const acknowledged = sent.filter(({ status }) => status === 200);
  const lost = acknowledged.filter((event) => !present.has(nameOf(event)));
  // Of what was never answered nobody knows when ingest took it.
  const unanswered = new Set(sent.filter(({ status }) => status === 0).map(nameOf));
  const late = outOfOrder(first.filter((event) => !unanswered.has(nameOf(event))));
  const tookMs = sent
    .filter(({ status }) => status !== 0)
    .map((event) => event.tookMs)
    .toSorted((a, b) => a - b);
  return {
    sent: sent.length,
    acknowledged: acknowledged.length,
    refused: tookMs.length - acknowledged.length,
    unanswered: sent.length - tookMs.length,
    lost: lost.length,
    lostFirst: lost.slice(0, named).map(nameOf),
    unknown: [...present].filter((name) => !known.has(name)).length,
    outOfOrder: late.length,
    outOfOrderFirst: late.slice(0, named).map(nameOf),
    duplicates: found.length - first.length,
    p99Ms: tookMs[Math.floor(0.99 * (tookMs.length - 1))] ?? 0,
    longestMs: tookMs.at(-1) ?? 0,
  };
}

function nameOf({ key, sequence }: { readonly key: string; readonly sequence: number }): string {
  return `${key}#${sequence}`;
}

function firstOfEach(found: readonly Found[]): readonly Found[] {
  const seen = new Set<string>();
  return found.filter(({ eventId }) => {
    if (seen.has(eventId)) return false;
    seen.add(eventId);
    return true;
  });
}

/** Those that stand behind one of the same key with the same or a higher sequence. */
function outOfOrder(found: readonly Found[]): readonly Found[] {
  const highest = new Map<string, number>();
  return found.filter(({ key, sequence }) => {
    const before = highest.get(key) ?? -1;
    highest.set(key, Math.max(before, sequence));
    return sequence <= before;
  });
}
