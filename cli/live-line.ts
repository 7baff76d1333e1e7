const progressIntervalMs = 5_000;
const clearLine = '\r\u001b[2K';

/**
 * One line at the bottom of the terminal that changes in place while others scroll above it. Where standard output is no
 * terminal only the others are printed.
 */
export class LiveLine {
  readonly #isTerminal: boolean;
  #text = '';

  constructor(isTerminal: boolean = process.stdout.isTTY === true) {
    this.#isTerminal = isTerminal;
  }

  /** Replaces the line. */
  set(text: string): void {
    if (!this.#isTerminal || text === this.#text) return;
    this.#text = text;
    // Cut to the width: a line that wraps cannot be cleared.
    process.stdout.write(`${clearLine}${text.slice(0, (process.stdout.columns ?? 80) - 1)}`);
  }

  /** Prints a line that stays, above. */
  above(line: string): void {
    const text = this.#text;
    this.clear();
    process.stdout.write(`${line}\n`);
    this.set(text);
  }

  /** Shows progress in place on a terminal; elsewhere as a line now and then. */
  progress(): (text: string) => void {
    let lastMs = Number.NEGATIVE_INFINITY;
    return (text) => {
      if (this.#isTerminal) {
        this.set(text);
        return;
      }
      const nowMs = performance.now();
      if (nowMs - lastMs < progressIntervalMs) return;
      lastMs = nowMs;
      this.above(text);
    };
  }

  clear(): void {
    if (this.#isTerminal && this.#text !== '') process.stdout.write(clearLine);
    this.#text = '';
  }
}
