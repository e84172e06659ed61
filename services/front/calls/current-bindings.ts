import type { FlowRow } from '../../model/flow.ts';
import type { Binding } from './target.ts';

/** A flow with the site that accepted it and where that site recorded it. */
export type RecordedFlow = { readonly site: string; readonly seq: number; readonly row: FlowRow };

/**
 * The bindings of an address of record that count. Of one key at several sites those count that no other was made in
 * knowledge of; a removed one still counts against what it superseded. Of what is left the latest comes first, as far as
 * the clocks of the sites tell: it only decides which of two is tried before the other.
 */
export function currentBindings(flows: readonly RecordedFlow[]): Binding[] {
  return flows
    .filter((flow) => !flow.row.gone && !flows.some((other) => supersedes(other, flow)))
    .toSorted((a, b) => (a.row.registered_at < b.row.registered_at ? 1 : -1))
    .map(({ site, row }) => bindingOf(site, row));
}

export function bindingOf(site: string, { aor, device, contact, path, edge }: FlowRow): Binding {
  return { aor, device, site, contact, path, edge };
}

/** Whether `later` was made when its site had applied the event of `earlier`, a flow of the same key at another site. */
function supersedes(later: RecordedFlow, earlier: RecordedFlow): boolean {
  if (later.site === earlier.site || later.row.key !== earlier.row.key) return false;
  return later.row.seen.some((position) => {
    const [site, , seq] = position.split(' ');
    return site === earlier.site && Number(seq) >= earlier.seq;
  });
}
