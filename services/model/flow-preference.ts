import type { FlowRow } from './flow.ts';

/** A flow as the registration log of one site holds it; `seq` is the event that last changed it. */
export type Binding = {
  readonly site: string;
  readonly seq: number;
  readonly row: Pick<FlowRow, 'key' | 'seen' | 'gone' | 'registered_at'>;
};

/** Where an incarnation of a log began. */
export type Begun = { readonly incarnation: string; readonly firstSeq: number };

/** The incarnations of a site's registration log; there is one unless it was restored. */
export type BegunOf = (site: string) => readonly Begun[];

/** What a binding is among those of the same AoR, device and reg-id. */
export type Standing<B extends Binding> = {
  readonly binding: B;
  /** Position in which it is tried, from 0; undefined where another one has superseded it. */
  readonly order: number | undefined;
  /** One that came later with knowledge of this one. */
  readonly supersededBy: B | undefined;
};

/**
 * Which binding of one (AoR, device, reg-id) is to be used, of those that different sites hold. Causal: a binding
 * supersedes another one that its site had applied when it accepted it, a deregistration as well. Those accepted
 * without knowledge of each other are all kept, the latest first; that order, and nothing else, goes by clocks.
 * Deregistered ones are left out. Pure.
 */
export function rankBindings<B extends Binding>(
  bindings: readonly B[],
  begunOf: BegunOf,
): readonly Standing<B>[] {
  const standings = bindings
    .filter(({ row }) => !row.gone)
    .map((binding) => ({
      binding,
      supersededBy: bindings.find((other) => other !== binding && hasSeen(other, binding, begunOf)),
    }))
    .toSorted((a, b) => latestFirst(a.binding, b.binding));
  const [used, superseded] = [standings.filter(isUsed), standings.filter((each) => !isUsed(each))];
  return [
    ...used.map((standing, order) => ({ ...standing, order })),
    ...superseded.map((standing) => ({ ...standing, order: undefined })),
  ];
}

const isUsed = ({ supersededBy }: { readonly supersededBy: unknown }): boolean => supersededBy === undefined;

/** Order of use: the latest first; of the same moment by site, so that both sites choose the same. */
export function latestFirst(a: Binding, b: Binding): number {
  if (a.row.registered_at !== b.row.registered_at) return a.row.registered_at < b.row.registered_at ? 1 : -1;
  return a.site < b.site ? -1 : 1;
}

/** Whether the site that accepted `later` had applied the event of `earlier` by then. */
function hasSeen(later: Binding, earlier: Binding, begunOf: BegunOf): boolean {
  const seen = later.row.seen.map(parseSeen).find(({ site }) => site === earlier.site);
  return seen !== undefined && includes(seen, earlier.seq, begunOf(earlier.site));
}

/**
 * Whether a site's log, as far as it was `seen`, had the event that is `seq` in its present history, whose incarnations
 * are `begun`. What was seen of a history that was given up does not count for events of the one that took its place.
 */
export function includes(
  seen: Pick<Seen, 'incarnation' | 'seq'>,
  seq: number,
  begun: readonly Begun[],
): boolean {
  if (seen.seq < seq) return false;
  const known = begun.find(({ incarnation }) => incarnation === seen.incarnation);
  return known !== undefined && !begun.some(({ firstSeq }) => firstSeq > known.firstSeq && firstSeq <= seq);
}

export type Seen = { readonly site: string; readonly incarnation: string; readonly seq: number };

export function parseSeen(text: string): Seen {
  const [site = '', incarnation = '', seq = '0'] = text.split(' ');
  return { site, incarnation, seq: Number(seq) };
}

/** One entry of `seen`: a peer's registration log as it was applied here. */
export const seenText = ({ site, incarnation, seq }: Seen): string => `${site} ${incarnation} ${seq}`;
