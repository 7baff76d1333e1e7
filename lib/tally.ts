import { Counter, type CounterConfiguration } from 'prom-client';

/**
 * A counter with one or two labels that costs next to nothing to count on: Prometheus's series are made of it when somebody asks.
 *
 * The values of the labels must come from a closed list, as each of them is kept.
 */
export class Tally<L extends string> {
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(configuration: CounterConfiguration<L> & { readonly labelNames: readonly [L, L?] }) {
    const [outer, inner] = configuration.labelNames;
    const counts = this.#counts;
    new Counter<L>({
      ...configuration,
      collect() {
        this.reset();
        for (const [first, byInner] of counts) {
          for (const [second, count] of byInner) {
            const labels = { [outer]: first, ...(inner !== undefined && { [inner]: second }) };
            this.inc(labels as Partial<Record<L, string>>, count);
          }
        }
      },
    });
  }

  /** Counts one more with these values of the labels, in their order. */
  count(first: string, second = ''): void {
    const present = this.#counts.get(first);
    if (present === undefined) this.#counts.set(first, new Map([[second, 1]]));
    else present.set(second, (present.get(second) ?? 0) + 1);
  }
}
