/** A member of a group, and the partitions that it had before. */
export interface MemberBefore {
  readonly memberId: string;
  readonly partitions: readonly number[];
}

/**
 * Shares the partition numbers from 0 to `count` - 1 among `members`, each number to one of them, as evenly as can be. A member keeps
 * what it had, as far as that is even: its state is there.
 */
export function shareOut(count: number, members: readonly MemberBefore[]): ReadonlyMap<string, readonly number[]> {
  const ordered = members.toSorted((one, other) => (one.memberId < other.memberId ? -1 : 1));
  const shares = new Map(ordered.map(({ memberId }): [string, number[]] => [memberId, []]));
  const atLeast = Math.floor(count / members.length);
  // Those that may have one more than the others: first who had the most.
  let extra = count - atLeast * members.length;
  const free = new Set(Array.from({ length: count }, (_, partition) => partition));
  const byHolding = ordered.toSorted((one, other) => other.partitions.length - one.partitions.length);
  for (const { memberId, partitions } of byHolding) {
    const share = shares.get(memberId) ?? [];
    for (const partition of partitions) {
      if (!free.has(partition)) continue;
      if (share.length >= atLeast + 1 || (share.length === atLeast && extra === 0)) break;
      if (share.length === atLeast) extra -= 1;
      free.delete(partition);
      share.push(partition);
    }
  }
  for (const partition of free) {
    const [least] = [...shares.values()].toSorted((one, other) => one.length - other.length);
    least?.push(partition);
  }
  for (const share of shares.values()) share.sort((one, other) => one - other);
  return shares;
}
