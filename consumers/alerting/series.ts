/** What stands in one bucket of a series. */
interface Bucket {
  verdicts: number;
  /** It belongs to an incident, so it does not say what is usual. */
  isUnusual: boolean;
  readonly senders: Map<string, number>;
  readonly scenes: Map<string, number>;
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
  readonly #buckets = new Map<number, Bucket>();
  readonly #sinceMs: number;

  constructor(windowMs: number, sinceMs: number) {
    this.#windowMs = windowMs;
    this.#sinceMs = sinceMs;
  }

  add(atMs: number, sender: string, scene: string): void {
    const number = this.#bucketAt(atMs);
    const bucket = this.#buckets.get(number) ?? {
      verdicts: 0,
      isUnusual: false,
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
    for (const bucket of this.#between(nowMs - this.#windowMs, nowMs)) {
      verdicts += bucket.verdicts;
      for (const [sender, count] of bucket.senders) addTo(senders, sender, count);
      for (const [scene, count] of bucket.scenes) addTo(scenes, scene, count);
    }
    return { verdicts, senders, scenes };
  }

  /** Verdicts that a window had on average in the time before the one that ends at `nowMs`; 0 without such time. */
  expected(nowMs: number): number {
    const endMs = nowMs - this.#windowMs;
    const beginMs = Math.max(endMs - baselineWindows * this.#windowMs, this.#sinceMs);
    if (beginMs >= endMs) return 0;
    let verdicts = 0;
    let usualMs = endMs - beginMs;
    for (const bucket of this.#between(beginMs, endMs)) {
      if (bucket.isUnusual) usualMs -= this.#windowMs / bucketsPerWindow;
      else verdicts += bucket.verdicts;
    }
    return usualMs <= 0 ? 0 : (verdicts * this.#windowMs) / usualMs;
  }

  /** Says that what came from `beginMs` to `endMs` was an incident. */
  exclude(beginMs: number, endMs: number): void {
    for (const bucket of this.#between(beginMs, endMs)) bucket.isUnusual = true;
  }

  /** Drops what no window reaches any more. Returns whether anything is left. */
  forget(nowMs: number): boolean {
    const oldest = this.#bucketAt(nowMs - windowsLookedAt * this.#windowMs);
    for (const number of this.#buckets.keys()) if (number < oldest) this.#buckets.delete(number);
    return this.#buckets.size > 0;
  }

  #bucketAt(atMs: number): number {
    return Math.floor(atMs / (this.#windowMs / bucketsPerWindow));
  }

  *#between(beginMs: number, endMs: number): Generator<Bucket> {
    const end = this.#bucketAt(endMs);
    for (const [number, bucket] of this.#buckets) if (number > this.#bucketAt(beginMs) && number <= end) yield bucket;
  }
}

function addTo(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
