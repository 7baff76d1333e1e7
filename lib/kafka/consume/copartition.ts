/** What a member had when it joined. */
export interface Claim {
  /** Generation of the group in which it was given that; negative when it never was. */
  readonly generationId: number;
  readonly partitions: readonly number[];
}

export interface Claimant extends Claim {
  readonly memberId: string;
}

/**
 * Who reads which partition numbers out of 0 … `partitions` - 1: each number once, numbers of members differing by one at most, and as
 * many as possible staying where they were. Of two who claim the same number, the one has it who was given it last.
 */
export function sharePartitions(
  members: readonly Claimant[],
  partitions: number,
): ReadonlyMap<string, readonly number[]> {
  const claims = new Map(members.map(({ memberId }) => [memberId, [] as number[]]));
  for (let partition = 0; partition < partitions; partition += 1) {
    const owner = ownerOf(members, partition);
    if (owner !== undefined) claims.get(owner)?.push(partition);
  }
  const least = Math.floor(partitions / members.length);
  const withOneMore = partitions % members.length;
  // Who has most to lose may have one more.
  const byClaims = Array.from(claims, ([memberId, theirs]) => ({ memberId, theirs })).sort(
    (a, b) => b.theirs.length - a.theirs.length || compare(a.memberId, b.memberId),
  );
  const shares = new Map<string, number[]>();
  const wanting: { readonly share: number[]; readonly size: number }[] = [];
  for (const [index, { memberId, theirs }] of byClaims.entries()) {
    const size = least + (index < withOneMore ? 1 : 0);
    const share = theirs.slice(0, size);
    shares.set(memberId, share);
    wanting.push({ share, size });
  }
  const kept = new Set(Array.from(shares.values()).flat());
  const free = Array.from({ length: partitions }, (_, partition) => partition).filter((number) => !kept.has(number));
  deal(free, wanting);
  for (const share of shares.values()) share.sort((a, b) => a - b);
  return shares;
}

/** Round by round one for each who has fewer than are due. */
function deal(free: readonly number[], wanting: readonly { readonly share: number[]; readonly size: number }[]): void {
  const rest = [...free];
  while (rest.length > 0) {
    for (const { share, size } of wanting) {
      if (share.length >= size) continue;
      const next = rest.shift();
      if (next !== undefined) share.push(next);
    }
  }
}

function ownerOf(members: readonly Claimant[], partition: number): string | undefined {
  let owner: Claimant | undefined;
  for (const member of members) {
    if (!member.partitions.includes(partition)) continue;
    const later = owner === undefined || member.generationId > owner.generationId;
    if (later || (member.generationId === owner?.generationId && member.memberId < owner.memberId)) owner = member;
  }
  return owner?.memberId;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}
