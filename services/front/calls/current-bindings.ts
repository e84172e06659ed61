import { latestFirst, rankBindings } from '../../model/flow-preference.ts';
import type { BegunOf } from '../../model/flow-preference.ts';
import type { FlowRow } from '../../model/flow.ts';
import type { Binding } from './target.ts';

/** A flow with the site that accepted it and where that site recorded it. */
export type RecordedFlow = { readonly site: string; readonly seq: number; readonly row: FlowRow };

/** The bindings of an address of record that count, the latest first; a removed one still counts against what it superseded. */
export function currentBindings(flows: readonly RecordedFlow[], begunOf: BegunOf): Binding[] {
  return [...Map.groupBy(flows, ({ row }) => row.key).values()]
    .flatMap((ofOneKey) => rankBindings(ofOneKey, begunOf))
    .flatMap(({ binding, order }) => (order === undefined ? [] : [binding]))
    .toSorted(latestFirst)
    .map(({ site, row }) => bindingOf(site, row));
}

export function bindingOf(site: string, { aor, device, contact, path, edge }: FlowRow): Binding {
  return { aor, device, site, contact, path, edge };
}
