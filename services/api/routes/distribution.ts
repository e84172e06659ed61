import { z } from 'zod';
import { DualhomeError } from '../../protocol/errors/index.ts';
import {
  distributedAorSchema,
  distributionPageSchema,
  distributionQuerySchema,
} from '../../protocol/rest/distribution.ts';
import type { DistributedAor } from '../../protocol/rest/distribution.ts';
import { allow } from '../access.ts';
import type { ApiContext } from '../context.ts';
import { distributedAor, unknownSinceOf } from '../distribution.ts';
import type { UnknownSince } from '../distribution.ts';
import { countFlows, listAors, readBegun, readFlows } from '../store/flows.ts';

const aorParams = z.object({ aor: z.string().min(1).max(320) });

/** Who is registered where, as this site knows it: its own registrations and its copies of the peers'. */
export function distributionRoutes(context: ApiContext): void {
  const { server, config, shared } = context;
  const { app } = server;

  app.get(
    '/v1/distribution',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'Addresses of record with their flows, in order, and how many flows each site has',
        querystring: distributionQuerySchema,
        response: { 200: distributionPageSchema },
      },
    },
    async ({ query: { after = '', prefix = '', limit } }) => {
      const unknownSince = await readUnknownSince(context);
      const aors = await listAors(shared, config, { after, prefix, limit });
      const counts = await countFlows(shared, config);
      return {
        sites: [...counts].map(([site, flows]) => ({ site, flows, unknownSince: unknownSince(site) })),
        aors: await readAors(context, aors, unknownSince),
        next: aors.length === limit ? (aors.at(-1) ?? null) : null,
      };
    },
  );

  app.get(
    '/v1/distribution/:aor',
    {
      onRequest: allow(context, 'viewer'),
      schema: {
        summary: 'Where the devices of one address of record are, which flow is preferred, and why',
        params: aorParams,
        response: { 200: distributedAorSchema },
      },
    },
    async ({ params: { aor } }) => {
      const [found] = await readAors(context, [aor], await readUnknownSince(context));
      if (!found) throw new DualhomeError('DISTRIBUTION_NOT_FOUND', { detail: aor, facts: { aor } });
      return found;
    },
  );
}

async function readAors(
  { shared, config }: ApiContext,
  aors: readonly string[],
  unknownSince: UnknownSince,
): Promise<DistributedAor[]> {
  const flows = Map.groupBy(await readFlows(shared, config, aors), ({ row }) => row.aor);
  const begun = await readBegun(shared, config);
  return aors.flatMap(
    (aor) => distributedAor(aor, flows.get(aor) ?? [], (site) => begun.get(site) ?? [], unknownSince) ?? [],
  );
}

/** While the synchronizer does not answer nothing is known of any peer, as of now. */
async function readUnknownSince({ synchronizer, config }: ApiContext): Promise<UnknownSince> {
  const at = new Date().toISOString();
  return await synchronizer
    .status()
    .then(unknownSinceOf, () => (site: string) => (site === config.site ? null : at));
}
