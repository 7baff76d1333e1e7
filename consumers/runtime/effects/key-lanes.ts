/**
 * Runs work in parallel, in order for each key: a slow key holds up only itself. Work that waits for its key takes no place of others.
 */
export class KeyLanes {
  readonly #concurrency: number;
  /** The last work of each key that has any. */
  readonly #last = new Map<string, Promise<unknown>>();
  /** Work that could begin, but for the number that runs. */
  readonly #ready: (() => void)[] = [];
  #running = 0;

  /** @param concurrency how many pieces of work run at once. */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** Pieces of work that run now. */
  get running(): number {
    return this.#running;
  }

  /** Runs `work` when all work that was given before with `key` has ended, however it has; gives what it gives. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const result = before.then(() => this.#place()).then(work);
    const ended: Promise<void> = result.then(
      () => this.#end(key, ended),
      () => this.#end(key, ended),
    );
    this.#last.set(key, ended);
    return result;
  }

  /** Resolves when there is a place, which is taken then. */
  #place(): Promise<void> {
    if (this.#running < this.#concurrency) {
      this.#running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#ready.push(resolve));
  }

  #end(key: string, ended: Promise<unknown>): void {
    if (this.#last.get(key) === ended) this.#last.delete(key);
    const next = this.#ready.shift();
    // A place goes on to who waits for one.
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
