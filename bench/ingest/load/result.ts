/** What one loop of requests came to. */
export interface LoadResult {
  /** Requests answered 200. */
  readonly acknowledged: number;
  /** Other answers, and requests without one. */
  readonly failed: number;
  /** Acknowledged a second. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Processor time of the sender itself. */
  readonly senderCpuSeconds: number;
}

/** The value below which `share` of `sorted` lies; 0 of nothing. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}
