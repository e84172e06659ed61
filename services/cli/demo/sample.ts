import { hash } from 'node:crypto';
import type { DemoChange } from './replication.ts';

export const subscribersPerSite = 10_000;

const firstNames = ['Ada', 'Bo', 'Chen', 'Dana', 'Emil', 'Fatima', 'Goran', 'Hana', 'Ines', 'Jonas'] as const;
const lastNames = [
  'Abel',
  'Berg',
  'Costa',
  'Duval',
  'Evans',
  'Fischer',
  'Garcia',
  'Hansen',
  'Ito',
  'Jansen',
] as const;

/** Domain, routes and parameters of the sample site. */
export function sampleBase(site: string): readonly DemoChange[] {
  const domain = `${site}.example`;
  return [
    { op: 'put', kind: 'domain', row: { name: domain, realm: domain, aliases: [`sip.${domain}`] } },
    {
      op: 'put',
      kind: 'route',
      row: { prefix: '+', class: 'international', next_hops: [`sip:gw.${domain}`] },
    },
    { op: 'put', kind: 'environment', row: { name: 'country_code', value: '49' } },
  ];
}

/** The telephone number of subscriber `n` of a site: its own prefix, then the subscriber's digits. */
export function sampleNumber(site: string, n: number): string {
  return `${numberPrefix(site)}${String(n).padStart(6, '0')}`;
}

/** All numbers of a site begin with it. */
export function numberPrefix(site: string): string {
  return `+4930${site.replaceAll(/[^0-9]/g, '')}`;
}

/** What it takes that calls to a third-party site leave by these addresses, and come from there. */
export function sampleNeighbour(name: string, address: string): DemoChange {
  return {
    op: 'put',
    kind: 'site',
    row: { name, addresses: [address], transport: 'udp', probe: true },
  };
}

/** A number of subscriber `n`. */
export function sampleNumberOf(site: string, n: number): DemoChange {
  const { user, domain } = sampleAccount(site, n);
  return { op: 'put', kind: 'number', row: { number: sampleNumber(site, n), aor: `${user}@${domain}` } };
}

/** What the devices of subscriber `n` (from 1) of a site register with. */
export function sampleAccount(site: string, n: number) {
  const user = String(n).padStart(6, '0');
  return { user, domain: `${site}.example`, password: `secret-${user}` };
}

/** Subscriber `n` (from 1) of a site; the same each time, so that the sample can be loaded again. */
export function sampleSubscriber(site: string, peer: string, n: number): Readonly<Record<string, unknown>> {
  const { user, domain, password } = sampleAccount(site, n);
  const credentials = `${user}:${domain}:${password}`;
  return {
    aor: `${user}@${domain}`,
    display_name: `${firstNames[n % 10] ?? ''} ${lastNames[Math.floor(n / 10) % 10] ?? ''}`,
    ha1_md5: hash('md5', credentials, 'hex'),
    ha1_sha256: hash('sha256', credentials, 'hex'),
    home_site: site,
    backup_site: peer,
    class_of_service: ['local', 'national'],
    area_code: '30',
    country_code: '49',
    time_zone: 'Europe/Berlin',
  };
}

/** Subscribers 1 to `count`. */
export function* sampleSubscribers(
  site: string,
  peer: string,
  count: number,
): Generator<Readonly<Record<string, unknown>>> {
  for (let n = 1; n <= count; n += 1) yield sampleSubscriber(site, peer, n);
}
