import type { State } from '../../consumers/runtime/state/state-store.ts';

/** A state in memory. */
export class MapState<V> implements State<V> {
  readonly values: Map<string, V>;

  constructor(values: Iterable<readonly [key: string, value: V]> = []) {
    this.values = new Map(values);
  }

  get(key: string): V | undefined {
    return this.values.get(key);
  }

  set(key: string, value: V): void {
    this.values.set(key, value);
  }

  delete(key: string): void {
    this.values.delete(key);
  }

  page(after: string, limit: number): readonly (readonly [key: string, value: V | undefined])[] {
    const behind = [...this.values].filter(([key]) => key > after);
    return behind.toSorted(([one], [other]) => (one < other ? -1 : 1)).slice(0, limit);
  }

  entries(): Iterable<readonly [key: string, value: V]> {
    return [...this.values];
  }
}
