import { rankBindings } from '../model/flow-preference.ts';
import type { BegunOf, Standing } from '../model/flow-preference.ts';
import type { DistributedAor, DistributedFlow } from '../protocol/rest/distribution.ts';
import type { Status } from '../protocol/status.ts';
import type { StoredFlow } from './store/flows.ts';

/** When a site was last heard of; null while what is known of it is current. */
export type UnknownSince = (site: string) => string | null;

/** Since when nothing is heard of peers, by what the synchronizer says of the links to them. */
export function unknownSinceOf({ site, at, peers }: Status): UnknownSince {
  const known = new Map(peers.map((peer) => [peer.name, peer]));
  return (name) => {
    const { link, directions } = known.get(name) ?? {};
    if (name === site || link?.state === 'up') return null;
    const heard = directions?.find(({ log, from }) => log === 'registration' && from === name);
    const agoSeconds = heard?.heardSecondsAgo ?? null;
    if (agoSeconds === null) return link?.since ?? at;
    return new Date(Date.parse(at) - agoSeconds * 1_000).toISOString();
  };
}

/** Where the devices of one address of record are; undefined where none is. Pure. */
export function distributedAor(
  aor: string,
  flows: readonly StoredFlow[],
  begunOf: BegunOf,
  unknownSince: UnknownSince,
): DistributedAor | undefined {
  const ranked = [...Map.groupBy(flows, ({ row }) => row.key).values()].flatMap((bindings) => {
    const standings = rankBindings(bindings, begunOf);
    return standings.map((standing) => shownFlow(standing, standings, unknownSince));
  });
  const owner = flows[0]?.row.owner;
  return owner === undefined || ranked.length === 0 ? undefined : { aor, owner, flows: ranked };
}

type Ranked = Standing<StoredFlow>;

function shownFlow(standing: Ranked, all: readonly Ranked[], unknownSince: UnknownSince): DistributedFlow {
  const { site, seq, row } = standing.binding;
  return {
    site,
    ...reasonOf(standing, all),
    device: row.device,
    regId: row.reg_id,
    contact: row.contact,
    path: [...row.path],
    q: row.q,
    source: row.source,
    userAgent: row.user_agent,
    since: row.registered_at,
    expiresAt: row.expires_at,
    seq,
    unknownSince: unknownSince(site),
  };
}

function reasonOf(
  { binding, order, supersededBy }: Ranked,
  all: readonly Ranked[],
): Pick<DistributedFlow, 'standing' | 'why'> {
  if (supersededBy) {
    const { site, row } = supersededBy;
    const what = row.gone ? 'took its deregistration' : 'accepted it later';
    return {
      standing: 'superseded',
      why: `${site} ${what}, with event ${binding.seq} of ${binding.site} applied`,
    };
  }
  const used = all.filter((each) => each.order !== undefined);
  if (used.length > 1) {
    const why = `${order === 0 ? 'the latest' : 'an earlier one'} of ${used.length} accepted without knowledge of each other`;
    return { standing: order === 0 ? 'preferred' : 'alternative', why };
  }
  const known = all.filter(({ supersededBy: by }) => by === binding).map((each) => each.binding);
  const why = known
    .map(({ site, seq }) => `accepted later: event ${seq} of ${site} was applied here then`)
    .join('; ');
  return { standing: 'preferred', why: why || 'the only one' };
}
