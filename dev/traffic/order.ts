/** Something that happens at a time. */
export interface Timed {
  readonly atMs: number;
}

/** The items of several streams, each in order of time, in one order of time; holds one item of each stream. */
export function* inOrder<T extends Timed>(streams: readonly Iterable<T>[]): Generator<T> {
  const heads: { item: T; readonly rest: Iterator<T> }[] = [];
  for (const stream of streams) {
    const rest = stream[Symbol.iterator]();
    const first = rest.next();
    if (first.done !== true) heads.push({ item: first.value, rest });
  }
  while (heads.length > 0) {
    let earliest = 0;
    heads.forEach(({ item }, index) => {
      if (item.atMs < (heads[earliest]?.item.atMs ?? 0)) earliest = index;
    });
    const head = heads[earliest];
    if (head === undefined) return;
    yield head.item;
    const next = head.rest.next();
    if (next.done === true) heads.splice(earliest, 1);
    else head.item = next.value;
  }
}

/**
 * A stream in order of time with what follows from its items a little later, itself in order of time. Holds only what is
 * still to come. What `followersOf` gives must not be before its item, and may have followers of its own.
 */
export function* withFollowers<T extends Timed>(
  stream: Iterable<T>,
  followersOf: (item: T) => readonly T[],
): Generator<T> {
  const waiting: T[] = [];
  const emit = function* (item: T): Generator<T> {
    for (const follower of followersOf(item)) insert(waiting, follower);
    yield item;
  };
  for (const item of stream) {
    while (waiting[0] !== undefined && waiting[0].atMs <= item.atMs) yield* emit(waiting.shift() as T);
    yield* emit(item);
  }
  while (waiting.length > 0) yield* emit(waiting.shift() as T);
}

/** Puts an item into its place, behind those of the same time. */
function insert<T extends Timed>(ordered: T[], item: T): void {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordered[middle]?.atMs ?? 0) <= item.atMs) low = middle + 1;
    else high = middle;
  }
  ordered.splice(low, 0, item);
}
