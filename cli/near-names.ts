const minSimilarity = 0.4;

/** Those of `names` that look most like `wanted`, the closest first. */
export function nearNames(wanted: string, names: readonly string[], most: number): readonly string[] {
  const own = pairsOf(wanted);
  return names
    .map((name) => ({ name, similarity: similarityOf(own, wanted, name) }))
    .filter(({ similarity }) => similarity >= minSimilarity)
    .toSorted((a, b) => b.similarity - a.similarity)
    .slice(0, most)
    .map(({ name }) => name);
}

/** 1 for a name that holds the text, else the share of pairs of letters that both have (Dice's coefficient). */
function similarityOf(own: ReadonlySet<string>, wanted: string, name: string): number {
  if (wanted.length > 2 && name.toLowerCase().includes(wanted.toLowerCase())) return 1;
  const others = pairsOf(name);
  return (2 * own.intersection(others).size) / Math.max(1, own.size + others.size);
}

function pairsOf(name: string): ReadonlySet<string> {
  const letters = name.toLowerCase();
  return new Set(
    Array.from({ length: Math.max(0, letters.length - 1) }, (_, index) => letters.slice(index, index + 2)),
  );
}
