/** Above this share of stale requests among those with a right Sign, our clock or theirs is probably wrong. */
const suspiciousShare = 0.1;
const windowMs = 60_000;

/**
 * Watches, by the monotonic clock, which share of the requests with a right `Sign` is stale, over the current and the last minute: a wrong clock must
 * not lose callbacks unseen.
 */
export class ClockWatch {
  #window = { startMs: 0, valid: 0, stale: 0 };
  #last = { valid: 0, stale: 0 };

  count(sign: 'valid' | 'stale', monotonicMs: number): void {
    this.#roll(monotonicMs);
    this.#window[sign] += 1;
  }

  /** The share of stale requests when it is suspicious, from over 0.1 to 1; otherwise `undefined`. */
  suspiciousStaleShare(monotonicMs: number): number | undefined {
    this.#roll(monotonicMs);
    const stale = this.#window.stale + this.#last.stale;
    const share = stale / (stale + this.#window.valid + this.#last.valid);
    return share > suspiciousShare ? share : undefined;
  }

  #roll(monotonicMs: number): void {
    const elapsed = monotonicMs - this.#window.startMs;
    if (elapsed < windowMs) return;
    this.#last = elapsed < 2 * windowMs ? this.#window : { valid: 0, stale: 0 };
    this.#window = { startMs: monotonicMs, valid: 0, stale: 0 };
  }
}
