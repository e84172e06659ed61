import type { Sender } from '../../protocol/dispatch/common.ts';
import type { NeighbourDecision } from '../../protocol/dispatch/neighbour.ts';
import type { ThirdPartyRow } from './configuration.ts';

/**
 * The third-party site a request comes from. Where a certificate is configured it must be shown; else the source
 * address and transport count, with the port where datagrams come from it (of a connection it is arbitrary).
 */
export function thirdPartyAt(
  { source, certificateSha256 }: Sender,
  thirdParties: readonly ThirdPartyRow[],
): ThirdPartyRow | undefined {
  return thirdParties.find((site) => {
    if (site.transport !== source.transport) return false;
    if (site.certificate_sha256 !== null) return site.certificate_sha256 === certificateSha256;
    return site.addresses.some((address) => {
      const { host, port } = splitHostPort(address);
      const isPort = source.transport !== 'udp' || port === undefined || port === source.port;
      return host === source.address && isPort;
    });
  });
}

/** Whether it is one, as the front is told. */
export function neighbour(sender: Sender, thirdParties: readonly ThirdPartyRow[]): NeighbourDecision {
  const site = thirdPartyAt(sender, thirdParties);
  return site ? { kind: 'neighbour', name: site.name } : { kind: 'not-mine', challenge: null };
}

function splitHostPort(text: string): { readonly host: string; readonly port: number | undefined } {
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(text) ?? [];
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return { host: bare, port: port === undefined ? undefined : Number(port) };
}
