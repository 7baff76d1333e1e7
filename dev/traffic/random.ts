/** Numbers from 0 to 1, 1 excluded. */
export type Random = () => number;

/** Numbers from 0 to 1, 1 excluded, the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 up to `count`, `count` excluded. */
export function below(random: Random, count: number): number {
  return Math.floor(random() * count);
}

/** One of `items`, each as likely as the other; there must be one. */
export function oneOf<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)] as T;
}

/** One of `items` by their shares, which add up to 1; there must be one. */
export function oneByShare<T extends { readonly share: number }>(random: Random, items: readonly T[]): T {
  let rest = random();
  for (const item of items) {
    rest -= item.share;
    if (rest < 0) return item;
  }
  return items[0] as T;
}
