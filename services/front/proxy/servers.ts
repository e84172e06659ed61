import type { DnsAnswer, DnsResolver } from '../../platform/dns/resolver.ts';
import { parseSipUri } from '../../sip/message/uri.ts';
import { locateServers } from '../../sip/transport/locate.ts';
import type { DnsRecord, Lookup, Target as Server, Transport } from '../../sip/transport/locate.ts';

/** Addresses a request is tried at for one URI, at most. */
const serversMax = 4;

/** Where a URI leads to, best first (RFC 3263); none where the name leads nowhere. */
export type Servers = { readonly at: (uri: string) => Promise<readonly Server[]> };

export function createServers(dns: DnsResolver, transports: readonly Transport[]): Servers {
  return {
    at: async (text) => {
      const uri = parseSipUri(text);
      if (!uri) return [];
      const search = locateServers(uri, { transports, random: Math.random, targetsMax: serversMax });
      let step = search.next();
      while (!step.done) step = search.next(await recordsOf(dns, step.value));
      return step.value;
    },
  };
}

async function recordsOf(dns: DnsResolver, { type, name }: Lookup): Promise<DnsRecord[]> {
  const answers = await dns.resolve(type, name);
  return answers.map((answer) => recordOf(type, answer));
}

function recordOf(type: Lookup['type'], answer: DnsAnswer): DnsRecord {
  const text = (field: string): string => String(answer[field] ?? '');
  const number = (field: string): number => Number(answer[field] ?? 0);
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, address: text('address') };
    case 'SRV':
      return {
        type,
        priority: number('priority'),
        weight: number('weight'),
        port: number('port'),
        name: text('name'),
      };
    case 'NAPTR':
      return {
        type,
        order: number('order'),
        preference: number('preference'),
        service: text('service'),
        replacement: text('replacement'),
      };
  }
}
