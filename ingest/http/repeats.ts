/** Tencent's requests are valid for a minute before and after their RequestTime, so a copy can be sent for two minutes. */
const horizonMs = 120_000;

/** Most ids of a generation; above it, at hundreds of events a second, repeats are seen for less long. */
const maxIds = 100_000;

/**
 * Sees which events were made durable before, within two minutes of monotonic time. It keeps two generations of ids, so its memory is
 * bounded, and it decides about nothing: repeats are written all the same, and consumers de-duplicate by `eventId`.
 */
export class Repeats {
  readonly #maxIds: number;
  #startMs = Number.NEGATIVE_INFINITY;
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  constructor(generationIds = maxIds) {
    this.#maxIds = generationIds;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** How many of these ids, durable now, had been so before. */
  durable(eventIds: readonly string[], monotonicMs: number): number {
    this.#age(monotonicMs);
    const repeated = eventIds.filter((id) => this.#isRecent(id, monotonicMs)).length;
    for (const id of eventIds) {
      if (this.#young.size >= this.#maxIds) this.#turn(monotonicMs);
      this.#young.set(id, monotonicMs);
    }
    return repeated;
  }

  #isRecent(id: string, monotonicMs: number): boolean {
    const lastMs = this.#young.get(id) ?? this.#old.get(id);
    return lastMs !== undefined && monotonicMs - lastMs <= horizonMs;
  }

  #age(monotonicMs: number): void {
    if (monotonicMs - this.#startMs <= horizonMs) return;
    const isLongAgo = monotonicMs - this.#startMs > 2 * horizonMs;
    this.#turn(monotonicMs);
    if (isLongAgo) this.#old.clear();
  }

  #turn(monotonicMs: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#startMs = monotonicMs;
  }
}
