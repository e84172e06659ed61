import type {
  DistributedAor,
  DistributedFlow,
  DistributedSite,
  DistributionPage,
} from '../../protocol/rest/distribution.ts';
import { formatQuantity, formatTime } from './format.ts';
import type { Output } from './output.ts';
import { formatFacts, formatTable } from './table.ts';

/** How many flows each site has, then a line for each flow. */
export function renderDistribution(out: Output, { sites, aors }: DistributionPage): string {
  const columns = ['AOR', 'SITE', 'STANDING', 'DEVICE', 'SINCE', 'EXPIRES'].map((head) => ({ head }));
  const rows = aors.flatMap(({ aor, flows }) =>
    flows.map((flow) => [
      aor,
      flow.site,
      styled(out, flow),
      deviceOf(flow),
      formatTime(flow.since),
      formatTime(flow.expiresAt),
    ]),
  );
  const table = rows.length === 0 ? 'Nobody is registered' : formatTable(columns, rows);
  return [sites.map((site) => describeSite(out, site)).join('\n'), table].join('\n\n');
}

/** Everything of the flows of one address of record. */
export function renderAor(out: Output, { aor, owner, flows }: DistributedAor): string {
  const facts = flows.map((flow) =>
    formatFacts([
      [`At ${flow.site}`, `${styled(out, flow)}: ${flow.why}`],
      ['Device', deviceOf(flow)],
      ['Contact', flow.contact],
      ['Path', flow.path.join(', ') || undefined],
      ['From', flow.source],
      ['Phone', flow.userAgent ?? undefined],
      ['Since', formatTime(flow.since)],
      ['Expires', formatTime(flow.expiresAt)],
      ['Event', String(flow.seq)],
      ['Not heard of since', flow.unknownSince === null ? undefined : formatTime(flow.unknownSince)],
    ]),
  );
  return [`${aor}, subscriber of ${owner}`, ...facts].join('\n\n');
}

function describeSite(out: Output, { site, flows, unknownSince }: DistributedSite): string {
  const unknown =
    unknownSince === null
      ? ''
      : out.style('yellow', `, nothing heard of it since ${formatTime(unknownSince)}`);
  return `${site}: ${formatQuantity(flows, 'flow')}${unknown}`;
}

function styled(out: Output, { standing, unknownSince }: DistributedFlow): string {
  const text = unknownSince === null ? standing : `${standing} (unknown)`;
  if (standing === 'superseded') return out.style('dim', text);
  return out.style(unknownSince === null ? 'green' : 'yellow', text);
}

function deviceOf({ device, regId }: DistributedFlow): string {
  return regId === 0 ? device : `${device} reg-id ${regId}`;
}
