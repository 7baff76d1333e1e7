/** What stands in one bucket of a series. */
interface Bucket {
  verdicts: number;
  readonly senders: Map<string, number>;
  readonly scenes: Map<string, number>;
}

/** The buckets of an incident, by number; they do not say what is usual. */
interface Incident {
  readonly first: number;
  readonly last: number;
}

/** What a series holds in a window. */
export interface WindowCount {
  readonly verdicts: number;
  /** Verdicts by sender; its size is the number of different senders. */
  readonly senders: ReadonlyMap<string, number>;
  readonly scenes: ReadonlyMap<string, number>;
}

/** Windows before the present one that say what is usual. */
const baselineWindows = 10;

/** Windows that a series reaches back: the present one and those before it. */
export const windowsLookedAt = baselineWindows + 1;

/** Buckets of a window. */
const bucketsPerWindow = 10;

/** The abusive verdicts of one app and label over time, in buckets of a tenth of a window by `receivedAt`. */
export class Series {
  readonly #windowMs: number;
  readonly #sinceMs: number;
  readonly #buckets = new Map<number, Bucket>();
  #incidents: readonly Incident[] = [];

  constructor(windowMs: number, sinceMs: number) {
    this.#windowMs = windowMs;
    this.#sinceMs = sinceMs;
  }

  add(atMs: number, sender: string, scene: string): void {
    const number = this.#bucketAt(atMs);
    const bucket = this.#buckets.get(number) ?? {
      verdicts: 0,
      senders: new Map(),
      scenes: new Map(),
    };
    this.#buckets.set(number, bucket);
    bucket.verdicts += 1;
    addTo(bucket.senders, sender, 1);
    addTo(bucket.scenes, scene, 1);
  }

  /** What came in the window that ends at `nowMs`. */
  window(nowMs: number): WindowCount {
    const senders = new Map<string, number>();
    const scenes = new Map<string, number>();
    let verdicts = 0;
    const last = this.#bucketAt(nowMs);
    for (const [number, bucket] of this.#buckets) {
      if (number <= last - bucketsPerWindow || number > last) continue;
      verdicts += bucket.verdicts;
      for (const [sender, count] of bucket.senders) addTo(senders, sender, count);
      for (const [scene, count] of bucket.scenes) addTo(scenes, scene, count);
    }
    return { verdicts, senders, scenes };
  }

  /** Verdicts that a window had on average in the time before the one that ends at `nowMs`; `undefined` without such time. */
  expected(nowMs: number): number | undefined {
    const last = this.#bucketAt(nowMs) - bucketsPerWindow;
    const first = Math.max(last - baselineWindows * bucketsPerWindow + 1, this.#bucketAt(this.#sinceMs));
    let verdicts = 0;
    let usualBuckets = 0;
    for (let number = first; number <= last; number += 1) {
      if (this.#incidents.some((incident) => number >= incident.first && number <= incident.last)) continue;
      verdicts += this.#buckets.get(number)?.verdicts ?? 0;
      usualBuckets += 1;
    }
    return usualBuckets === 0 ? undefined : (verdicts * bucketsPerWindow) / usualBuckets;
  }

  /** Says that what came from `beginMs` to `endMs` was an incident, also what is added later. */
  exclude(beginMs: number, endMs: number): void {
    this.#incidents = [...this.#incidents, { first: this.#bucketAt(beginMs) + 1, last: this.#bucketAt(endMs) }];
  }

  /** Drops what no window reaches any more. Returns whether anything is left. */
  forget(nowMs: number): boolean {
    const oldest = this.#bucketAt(nowMs - windowsLookedAt * this.#windowMs);
    for (const number of this.#buckets.keys()) if (number < oldest) this.#buckets.delete(number);
    this.#incidents = this.#incidents.filter(({ last }) => last >= oldest);
    return this.#buckets.size > 0 || this.#incidents.length > 0;
  }

  #bucketAt(atMs: number): number {
    return Math.floor(atMs / (this.#windowMs / bucketsPerWindow));
  }
}

function addTo(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
