/** What RFC 2782 orders by. */
type Weighted = { readonly priority: number; readonly weight: number };

/**
 * SRV records in the order they are to be tried (RFC 2782): lower priority first; within one priority each next one is
 * drawn with a chance by weight, those of weight 0 last. `random` gives a number in [0, 1).
 */
export function orderByWeight<R extends Weighted>(records: readonly R[], random: () => number): R[] {
  const rest = records.toSorted((a, b) => a.priority - b.priority || b.weight - a.weight);
  const ordered: R[] = [];
  while (rest[0]) {
    const { priority } = rest[0];
    const group = rest.filter((record) => record.priority === priority);
    const drawn = group[draw(group, random)] ?? rest[0];
    ordered.push(drawn);
    rest.splice(rest.indexOf(drawn), 1);
  }
  return ordered;
}

function draw(group: readonly Weighted[], random: () => number): number {
  const total = group.reduce((sum, { weight }) => sum + weight, 0);
  let point = random() * total;
  return group.findIndex(({ weight }) => (point -= weight) < 0);
}
