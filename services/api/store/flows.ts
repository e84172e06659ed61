import type { FlowRow } from '../../model/flow.ts';
import type { Begun, Binding } from '../../model/flow-preference.ts';
import { ownSchema, peerSchema } from '../../protocol/names.ts';
import type { Queryable } from '../../platform/postgres/statement.ts';

/** The sites whose registrations are held here: this one and its peers. */
export type Sites = { readonly site: string; readonly peers: readonly string[] };

export type StoredFlow = Binding & { readonly row: FlowRow };

/** Each site with the schema of its registrations. */
function schemas({ site, peers }: Sites): readonly (readonly [site: string, schema: string])[] {
  return [[site, ownSchema], ...peers.map((peer) => [peer, peerSchema(peer)] as const)];
}

export type AorRange = { readonly after: string; readonly prefix: string; readonly limit: number };

/*
 * Flows have one index: `key`, which begins with the address of record and a space (`flowKey`), and no address has one.
 * So an address's flows are those from `aor || ' '` up to `aor || '!'`, the next character, and keys are in the order of
 * addresses.
 */

/**
 * Addresses of record with a flow somewhere, in order. Of each site so many as asked for, so that none is left out: one
 * look into the index for each, from the end of the one before.
 */
export async function listAors(
  shared: Queryable,
  sites: Sites,
  { after, prefix, limit }: AorRange,
): Promise<readonly string[]> {
  const first = (schema: string, from: string): string =>
    `(select aor from ${schema}.flows where key >= ${from} and not gone order by key limit 1)`;
  const parts = schemas(sites).map(
    ([, schema]) => `(
      with recursive listed as (
        select aor, 1 as n from ${first(schema, 'greatest($1 collate "C", $2)')} as first
        union all
        select next.aor, n + 1 from listed, lateral ${first(schema, "listed.aor || '!'")} as next where n < $3
      ) select aor from listed where starts_with(aor, $2))`,
  );
  const { rows } = await shared.query<{ aor: string }>(
    `select aor from (${parts.join(' union ')}) as registered order by aor limit $3`,
    [after === '' ? '' : `${after}!`, prefix, limit],
  );
  return rows.map(({ aor }) => aor);
}

/** Every flow of these addresses of record, removed ones that still stand for something included. */
export async function readFlows(
  shared: Queryable,
  sites: Sites,
  aors: readonly string[],
): Promise<readonly StoredFlow[]> {
  const found = await Promise.all(
    schemas(sites).map(async ([site, schema]) => {
      const { rows } = await shared.query<FlowRow & { readonly seq: number }>(
        `select flows.* from unnest($1::text[]) as wanted, ${schema}.flows
         where key >= wanted || ' ' and key < wanted || '!' order by key`,
        [[...aors]],
      );
      return rows.map(({ seq, ...row }) => ({ site, seq, row }));
    }),
  );
  return found.flat();
}

/** How many devices' flows each site has accepted. */
export async function countFlows(shared: Queryable, sites: Sites): Promise<ReadonlyMap<string, number>> {
  const counts = await Promise.all(
    schemas(sites).map(async ([site, schema]) => {
      const { rows } = await shared.query<{ flows: number }>(
        `select count(*) as flows from ${schema}.flows where not gone`,
      );
      return [site, rows[0]?.flows ?? 0] as const;
    }),
  );
  return new Map(counts);
}

/** Where the incarnations of each site's registration log began. */
export async function readBegun(
  shared: Queryable,
  sites: Sites,
): Promise<ReadonlyMap<string, readonly Begun[]>> {
  const begun = await Promise.all(
    schemas(sites).map(async ([site, schema]) => {
      const { rows } = await shared.query<Begun>(
        `select incarnation, first_seq as "firstSeq" from ${schema}.incarnations order by first_seq`,
      );
      return [site, rows] as const;
    }),
  );
  return new Map(begun);
}
