import { setTimeout as sleep } from 'node:timers/promises';
import { domain } from '../../../services/model/domain.ts';
import { route } from '../../../services/model/route.ts';
import { thirdPartySite } from '../../../services/model/third-party-site.ts';
import type { HttpClient } from '../../../services/platform/http/client.ts';
import { importLineSchema } from '../../../services/protocol/rest/import.ts';
import { hasEnded, jobSchema } from '../../../services/protocol/rest/jobs.ts';
import type { TestSite } from '../test-site.ts';
import type { TwoSites } from '../two-sites.ts';
import { formatSipAddress } from './sip-address.ts';
import type { SipAddress } from './sip-address.ts';
import { aorOf, domainOfUsers, ha1Of } from './users.ts';
import type { SipUser } from './users.ts';

const pollMs = 20;
const routeClassOfUsers = 'all';

/** Where devices reach the site over UDP. */
export async function sipAddressOf(site: TestSite): Promise<SipAddress> {
  const listen = (await site.file()).config.sip?.udp?.listen;
  if (!listen) throw new Error(`${site.name} does not listen for SIP over UDP`);
  return listen;
}

/**
 * Makes users of a site, c1 if nothing is said, with the other as their backup, and proves the copy there, whose standby
 * processor serves nobody before; returns when all processors of both sites
 * serve.
 * The addresses of both sites stand for the domain, as phones write them.
 */
export async function addUsers(
  { c1, c2 }: TwoSites,
  users: readonly SipUser[],
  home: 'c1' | 'c2' = 'c1',
): Promise<void> {
  const [site, backup] = home === 'c1' ? [c1, c2] : [c2, c1];
  const addresses = [await sipAddressOf(c1), await sipAddressOf(c2)];
  const aliases = [...new Set(addresses.map(({ host }) => host))];
  await site.put(domain, { name: domainOfUsers, realm: domainOfUsers, aliases });
  using api = await site.api();
  await importUsers(api, users, { home_site: site.name, backup_site: backup.name });
  await resync(api, backup.name);
  const { seq } = await site.head();
  await site.waitServing('processor-home', seq);
  await backup.waitServing('processor-home');
  await site.waitServing(`processor-standby-${backup.name}`);
  await backup.waitServing(`processor-standby-${site.name}`, seq);
}

/** Lets whoever sends from this address call as a third-party site does: without being asked for credentials. */
export async function addThirdParty(site: TestSite, name: string, address: string): Promise<void> {
  const row = { name, addresses: [address], transport: 'udp', certificate_sha256: null, probe: false };
  await site.put(thirdPartySite, row);
}

/** Leads calls of users to numbers with this prefix there. */
export async function addRoute(site: TestSite, prefix: string, hop: SipAddress): Promise<void> {
  const row = { prefix, class: routeClassOfUsers, next_hops: [`sip:${formatSipAddress(hop)}`] };
  await site.put(route, route.schema.parse(row));
}

async function importUsers(
  api: HttpClient,
  users: readonly SipUser[],
  sites: Readonly<Record<'home_site' | 'backup_site', string>>,
): Promise<void> {
  const rows = users.map((user) => ({
    aor: aorOf(user),
    ha1_md5: ha1Of(user),
    class_of_service: [routeClassOfUsers],
    ...sites,
  }));
  const answers = api.stream('POST', '/v1/import/subscriber', {
    query: { batch_rows: 500 },
    lines: rows,
    answer: importLineSchema,
  });
  for await (const line of answers)
    if (line.type === 'done' && !line.ok) throw new Error(JSON.stringify(line));
}

async function resync(api: HttpClient, peer: string): Promise<void> {
  const body = { kind: 'resync', peer, reason: 'test' };
  let job = await api.request('POST', '/v1/jobs', { body, answer: jobSchema });
  while (!hasEnded(job.state)) {
    await sleep(pollMs);
    job = await api.request('GET', `/v1/jobs/${job.id}`, { answer: jobSchema });
  }
  if (job.state !== 'done') throw new Error(`the resync ${job.state}: ${JSON.stringify(job.error)}`);
}

/** A binding as a site has it in its distribution. */
export type KnownFlow = {
  readonly contact: string;
  readonly path: readonly string[];
  readonly regId: number;
};

/** Bindings of the user that `site` knows of and that `accepted` has taken: itself, or its peer. */
export async function flowsOf(
  user: SipUser,
  site: TestSite,
  accepted: TestSite,
): Promise<readonly KnownFlow[]> {
  const schema = site === accepted ? 'own' : `peer_${accepted.name}`;
  const database = await site.database('shared');
  const { rows } = await database.query<KnownFlow>(
    `select contact, path, reg_id as "regId" from ${schema}.flows
     where aor = $1 and not gone and expires_at::timestamptz > now() order by reg_id`,
    [aorOf(user)],
  );
  return rows;
}
