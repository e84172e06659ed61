import { domain } from '../../services/model/domain.ts';
import { number } from '../../services/model/number.ts';
import { route } from '../../services/model/route.ts';
import { subscriber } from '../../services/model/subscriber.ts';
import { thirdPartySite } from '../../services/model/third-party-site.ts';
import type { Row } from '../../services/model/table.ts';
import { digestHa1 } from '../../services/sip/auth/digest.ts';
import { formatAddress } from '../../services/site/config/values.ts';
import type { TestSite } from './test-site.ts';

/** Numbers of the devices of M15, and of subscribers of each site who forward: at once, when busy, and so on. */
export const numberOf = {
  a1: '+49301',
  a2: '+49302',
  a3: '+49303',
  a4: '+49304',
  a5: '+44205',
  always1: '+493011',
  busy1: '+493012',
  slow1: '+493013',
  away1: '+493014',
  always2: '+493021',
  busy2: '+493022',
  slow2: '+493023',
  away2: '+493024',
} as const;
export type DeviceName = keyof typeof numberOf;

/** Subscribers by home site; forwarding leads to a device of the other site. */
const subscribersOf: Readonly<Record<string, Readonly<Partial<Record<DeviceName, Row>>>>> = {
  c1: {
    a1: {},
    a2: {},
    always1: { forward_always: numberOf.a3 },
    busy1: { forward_busy: numberOf.a3 },
    slow1: { forward_no_answer: numberOf.a3, forward_no_answer_seconds: 1 },
    away1: { forward_unreachable: numberOf.a3 },
  },
  c2: {
    a3: {},
    a4: {},
    always2: { forward_always: numberOf.a1 },
    busy2: { forward_busy: numberOf.a1 },
    slow2: { forward_no_answer: numberOf.a1, forward_no_answer_seconds: 1 },
    away2: { forward_unreachable: numberOf.a1 },
  },
  c3: { a5: {} },
};

/** An emergency number, and a number in a route class that nobody may use. */
export const emergencyNumber = '112';
export const premiumNumber = '+1900';

/**
 * Configures the sites of M15: subscribers at home with the other site of the pair as their backup; c3 reaches each one's
 * home first and his backup second; emergency calls of the pair end at A5.
 */
export async function configureCallSites({
  c1,
  c2,
  c3,
}: Readonly<Record<'c1' | 'c2' | 'c3', TestSite>>): Promise<void> {
  await Promise.all([
    serve(c1, 'example.com', 'c2'),
    serve(c2, 'example.com', 'c1'),
    serve(c3, 'c3.example', null),
  ]);
  for (const site of [c1, c2]) {
    await trust(site, c3);
    await lead(site, '+44', [c3]);
    await lead(site, '+1', [c3], { class: 'premium' });
    await lead(site, emergencyNumber, [c3], { class: 'emergency', emergency: true });
  }
  await trust(c3, c1);
  await trust(c3, c2);
  await lead(c3, '+49', [c1, c2]);
  for (const home2 of [numberOf.a3, numberOf.a4]) await lead(c3, home2, [c2, c1]);
  await c3.put(number, { number: `${emergencyNumber}@c3.example`, aor: 'a5@c3.example' });
}

async function serve(site: TestSite, name: string, backup: string | null): Promise<void> {
  const { host, port } = await site.sip();
  const aliases = site.name === 'c3' ? [formatAddress({ host, port })] : [];
  await site.put(domain, { name, realm: name, aliases });
  for (const [user, fields] of Object.entries(subscribersOf[site.name] ?? {})) {
    const aor = `${user}@${name}`;
    const row = {
      aor,
      ha1_md5: digestHa1('MD5', user, name, 'secret'),
      home_site: site.name,
      backup_site: backup,
      class_of_service: ['all'],
      country_code: '49',
      area_code: '30',
      ...fields,
    };
    await site.put(subscriber, subscriber.schema.parse(row));
    await site.put(number, { number: numberOf[user as DeviceName], aor });
  }
}

async function trust(site: TestSite, neighbour: TestSite): Promise<void> {
  const addresses = [formatAddress(await neighbour.sip())];
  await site.put(
    thirdPartySite,
    thirdPartySite.schema.parse({ ...aNeighbour, name: neighbour.name, addresses }),
  );
}

const aNeighbour = { transport: 'udp', certificate_sha256: null, probe: true };

async function lead(
  site: TestSite,
  prefix: string,
  hops: readonly TestSite[],
  fields: Row = { class: 'all' },
): Promise<void> {
  const nextHops = await Promise.all(hops.map(async (hop) => `sip:${formatAddress(await hop.sip())}`));
  await site.put(route, route.schema.parse({ prefix, ...fields, next_hops: nextHops }));
}
