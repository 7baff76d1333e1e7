/** Above this share of stale requests among those with a right Sign, our clock or theirs is probably wrong. */
const suspiciousShare = 0.1;
const windowMs = 60_000;

interface Window {
  valid: number;
  stale: number;
  /** Sum of RequestTime minus our time over the valid requests. */
  differenceSec: number;
}

/**
 * Watches, by the monotonic clock, the requests with a right `Sign` of the current and the last minute: which share of them is stale, and how
 * far the valid ones are from our time. A wrong clock must not lose callbacks unseen.
 */
export class ClockWatch {
  #startMs = 0;
  #window: Window = emptyWindow();
  #last: Window = emptyWindow();

  /** @param differenceSec RequestTime minus our time. */
  countValid(differenceSec: number, monotonicMs: number): void {
    this.#roll(monotonicMs);
    this.#window.valid += 1;
    this.#window.differenceSec += differenceSec;
  }

  countStale(monotonicMs: number): void {
    this.#roll(monotonicMs);
    this.#window.stale += 1;
  }

  /** The share of stale requests when it is suspicious, from over 0.1 to 1; otherwise `undefined`. */
  suspiciousStaleShare(monotonicMs: number): number | undefined {
    this.#roll(monotonicMs);
    const stale = this.#window.stale + this.#last.stale;
    const share = stale / (stale + this.#window.valid + this.#last.valid);
    return share > suspiciousShare ? share : undefined;
  }

  /** Mean of RequestTime minus our time over the valid requests; `undefined` when there was none. */
  meanDifferenceSec(monotonicMs: number): number | undefined {
    this.#roll(monotonicMs);
    const valid = this.#window.valid + this.#last.valid;
    return valid === 0 ? undefined : (this.#window.differenceSec + this.#last.differenceSec) / valid;
  }

  #roll(monotonicMs: number): void {
    const elapsed = monotonicMs - this.#startMs;
    if (elapsed < windowMs) return;
    this.#last = elapsed < 2 * windowMs ? this.#window : emptyWindow();
    this.#window = emptyWindow();
    this.#startMs = monotonicMs;
  }
}

function emptyWindow(): Window {
  return { valid: 0, stale: 0, differenceSec: 0 };
}
